//! The outbox of a database goes in; how far its rows are comes out, or those without an end are handed over
//! again.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::cli_error::CliError;
use crate::context::Context;
use crate::render::{Table, seconds};
use crate::wiring::{self, OutboxCount};

/// States of rows whose job has no end that anybody knows: these are handed over again.
const WITHOUT_END: [&str; 3] = ["missing", "sent", "unclear"];

#[derive(Subcommand)]
pub(crate) enum OutboxCommand {
    /// Shows how many rows are in each state, and how old the oldest is.
    #[command(after_help = "\
Example:
  stillcast outbox show --json | jq '.rows[] | select(.state == \"waiting\")'")]
    Show(ShowArgs),
    /// Has every row without a known end be handed over again: for when the whole Redis was lost.
    #[command(after_help = "\
Examples:
  stillcast outbox resend --since 2030-01-01T06:00:00Z
  stillcast outbox resend --since 2030-01-01T06:00:00Z --yes --json

Without --yes it only says how many there are. Jobs keep their identifiers: one that still stands in the queue
stays one job, and one whose end is known is left alone. Workers with DATABASE_URL hand them over.")]
    Resend(ResendArgs),
}

#[derive(Args)]
pub(crate) struct ShowArgs {}

#[derive(Args)]
pub(crate) struct ResendArgs {
    /// Rows that were written since then, such as 2030-01-01T06:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: DateTime<Utc>,
    /// Does it.
    #[arg(long)]
    yes: bool,
}

/// Rows of one state, for programs.
#[derive(Serialize)]
struct Counted {
    state: String,
    rows: u64,
    oldest_s: f64,
}

#[derive(Serialize)]
struct Shown {
    rows: Vec<Counted>,
}

#[derive(Serialize)]
struct Answer {
    since: DateTime<Utc>,
    /// What was found before, by state.
    rows: Vec<Counted>,
    /// How many of them have no known end.
    without_end: u64,
    /// How many are handed over again; null where nobody has said `--yes`.
    resent: Option<u64>,
}

impl OutboxCommand {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Show(ShowArgs {}) => show(context).await,
            Self::Resend(resend) => resend.run(context).await,
        }
    }
}

async fn show(context: &Context) -> anyhow::Result<()> {
    let shown = Shown { rows: rows(context, None).await? };
    context.screen.answer(&shown, || {
        if shown.rows.is_empty() { "the outbox is empty".to_owned() } else { table(&shown.rows) }
    })
}

impl ResendArgs {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let since = self.since.to_rfc3339_opts(SecondsFormat::Micros, true);
        let rows = rows(context, Some(&since)).await?;
        let is_open = |one: &&Counted| WITHOUT_END.contains(&one.state.as_str());
        let without_end = rows.iter().filter(is_open).map(|one| one.rows).sum();
        let resent = if self.yes && without_end > 0 {
            let queue = &context.config.queue_name;
            Some(wiring::outbox_resend(url(context)?, queue, &since).await?)
        } else {
            self.yes.then_some(0)
        };
        let resent = Answer { since: self.since, rows, without_end, resent };
        context.screen.answer(&resent, || match (resent.resent, resent.without_end) {
            (_, 0) => "nothing to hand over: of every row since then the end is known".to_owned(),
            (Some(resent), _) => format!("{resent} rows are handed over again"),
            (None, open) => {
                format!(
                    "{}\n{open} rows have no known end; add --yes to hand them over again",
                    table(&resent.rows)
                )
            }
        })
    }
}

fn url(context: &Context) -> anyhow::Result<&str> {
    let url = context.config.database_url.as_ref().map(ExposeSecret::expose_secret);
    url.ok_or_else(|| CliError::configuration("set DATABASE_URL to the database of the outbox"))
}

async fn rows(context: &Context, since: Option<&str>) -> anyhow::Result<Vec<Counted>> {
    let counted = wiring::outbox_count(url(context)?, &context.config.queue_name, since).await?;
    let counted = counted
        .ok_or_else(|| CliError::missing("the database has no outbox: run `stillcast migrate`"))?;
    let read = |OutboxCount { state, rows, oldest, .. }| Counted {
        state,
        rows,
        oldest_s: oldest.as_secs_f64(),
    };
    Ok(counted.into_iter().map(read).collect())
}

fn table(rows: &[Counted]) -> String {
    let mut table = Table::new(&["state", "rows", "oldest"]);
    for one in rows {
        table.row(vec![one.state.clone(), one.rows.to_string(), seconds(one.oldest_s)]);
    }
    table.lines()
}
