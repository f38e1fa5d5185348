//! Nothing goes in; the queue is shown in the terminal, again and again, until somebody has seen enough.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use tokio::time::sleep;

use crate::connect;
use crate::context::Context;
use crate::overview::Overview;
use crate::render;
use crate::signals::Signals;
use crate::wiring::Terminal;

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast top
  stillcast top --once --json | jq '.workers[].busy'

Keys: q, Esc or Ctrl-C ends it.")]
pub(crate) struct TopArgs {
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// Looks once; so does a pipe, and `--json`.
    #[arg(long)]
    once: bool,
}

impl TopArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let inspector = connect::inspector(&context.config).await?;
        let mut overview = Overview::of(&inspector).await?;
        if self.once || context.screen.is_json() || !std::io::stdout().is_terminal() {
            return context.screen.answer(&overview, || render::stats_view(&overview.stats));
        }
        let mut signals = Signals::new()?;
        let mut terminal = Terminal::open()?;
        loop {
            terminal.draw(&overview)?;
            tokio::select! {
                () = signals.next() => return Ok(()),
                left = terminal.left() => return left,
                () = sleep(Duration::from_secs(self.every)) => {}
            }
            overview = Overview::of(&inspector).await?;
        }
    }
}
