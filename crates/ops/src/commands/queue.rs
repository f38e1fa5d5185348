//! The queue as a whole: one look, and the switch that stops claims.

use clap::Subcommand;
use serde::Serialize;

use crate::{Context, connect, render};

#[derive(Subcommand)]
pub(crate) enum Queue {
    /// Prints depth, ages and the number of jobs in each state.
    #[command(after_help = "Example:\n  stillcast queue stats --json | jq .depth")]
    Stats,
    /// Stops claims; running jobs finish.
    #[command(after_help = "Example:\n  stillcast queue pause")]
    Pause,
    /// Lets claims go on.
    #[command(after_help = "Example:\n  stillcast queue resume")]
    Resume,
}

/// Where the switch stands now.
#[derive(Serialize)]
struct Switch {
    paused: bool,
    /// Whether this command moved it.
    changed: bool,
}

impl Queue {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let inspector = connect::inspector(&context.config).await?;
        let switch = match self {
            Self::Stats => {
                let stats = inspector.stats().await?;
                return context.screen.answer(&stats, || render::stats_view(&stats));
            }
            Self::Pause => Switch { paused: true, changed: inspector.pause().await? },
            Self::Resume => Switch { paused: false, changed: inspector.resume().await? },
        };
        context.screen.answer(&switch, || switch.words())
    }
}

impl Switch {
    fn words(&self) -> String {
        let standing = if self.paused { "paused: running jobs finish" } else { "claims go on" };
        let before = if self.changed { "" } else { ", as before" };
        format!("{standing}{before}")
    }
}
