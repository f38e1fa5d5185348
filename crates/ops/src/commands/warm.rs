//! A file of requests goes in; what they need is bought by a worker of this machine, at a price that is told before.

mod purchase;

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use self::purchase::{Price, buy, price};
use crate::cli_error::CliError;
use crate::context::Context;
use crate::render::Screen;

/// How much more than the price may be spent where nobody says: a failed call is bought again.
const SLACK: f64 = 1.25;
/// US dollars of slack in any case.
const LEAST_SLACK: f64 = 0.01;

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast warm evening.jsonl
  stillcast warm evening.jsonl --max-cost 20 --yes --json
  jq -nc '{source: {text: \"A quiet evening by the sea.\"}, format: \"audio\"}' >one.jsonl && stillcast warm one.jsonl

One request a line, as for `stillcast enqueue --json-request`, without a tenant and without private text: the jobs
of all tenants have what is warm for WARM_TTL. Run it where workers run, with their environment. What is warm
already costs nothing, so that the same command goes on where it was stopped. Exit 1 when not all is warm.")]
pub(crate) struct WarmArgs {
    /// The requests, a line of JSON each.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// US dollars that this file may cost, in this run and in others of the last two days; the price and a quarter
    /// when not given.
    #[arg(long, value_name = "USD", value_parser = dollars)]
    max_cost: Option<f64>,
    /// Buys without asking.
    #[arg(long)]
    yes: bool,
}

impl WarmArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (config, screen) = (&context.config, &context.screen);
        let price = price(config, &self.file).await?;
        let most = self.max_cost.unwrap_or_else(|| bound(&price));
        screen.note(&offer(&price, most));
        if !price.is_nothing() && !self.yes {
            ask(screen)?;
        }
        buy(config, screen, (&self.file, most), price.requests).await
    }
}

/// What may be spent when nobody says, to the whole cent above.
fn bound(price: &Price) -> f64 {
    let usd = price.spent_usd + price.usd * SLACK + LEAST_SLACK;
    (usd * 100.0).ceil() / 100.0
}

fn offer(price: &Price, most: f64) -> String {
    let Price { requests, warm, usd, spent_usd } = price;
    let requests =
        if *requests == 1 { "1 request".to_owned() } else { format!("{requests} requests") };
    let before = if *spent_usd > 0.0 {
        format!(", {spent_usd:.6} of it spent before")
    } else {
        String::new()
    };
    format!(
        "{requests}, {warm} warm already; the rest costs at most {usd:.6} US dollars if no call fails. \
         Nothing is bought beyond {most} in all (--max-cost){before}"
    )
}

fn ask(screen: &Screen) -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(CliError::usage("nobody can be asked here: add --yes to buy"));
    }
    screen.note("Buy? [y/N]");
    let mut said = String::new();
    stdin.lock().read_line(&mut said)?;
    match said.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CliError::failed("nothing was bought")),
    }
}

fn dollars(text: &str) -> Result<f64, String> {
    let usd = text.parse().ok().filter(|usd| (0.0..=1e6).contains(usd));
    usd.ok_or_else(|| "it takes US dollars, such as 20 or 0.5".to_owned())
}
