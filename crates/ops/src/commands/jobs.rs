//! A state goes in, a page of jobs comes out.

use clap::Args;
use queue::{Cursor, MAX_PAGE, Page};
use serde::Serialize;
use stillcast_enqueue::{JobRecord, State};

use crate::context::Context;
use crate::{connect, render};

#[derive(Args)]
#[command(after_help = "\
Examples:
  stillcast jobs --state leased
  stillcast jobs --json | jq -r '.jobs[].id'")]
pub(crate) struct JobsArgs {
    /// Only jobs in this state: delayed, ready, parked, leased, done, dead, cancelled or expired.
    #[arg(long, value_name = "STATE", value_parser = parse_state)]
    state: Option<State>,
    #[command(flatten)]
    page: PageArgs,
}

/// Which part of a listing.
#[derive(Args)]
pub(crate) struct PageArgs {
    /// At most so many, 1 to 500.
    #[arg(long, value_name = "NUMBER", default_value_t = 50,
          value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Where to go on: the `next` of the page before.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<Cursor>,
}

/// A page, for programs.
#[derive(Serialize)]
struct Listing<'page> {
    jobs: &'page [JobRecord],
    next: Option<String>,
}

impl JobsArgs {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        list(self.state, &self.page, context).await
    }
}

/// Prints the jobs in `state`, waiting ones in the order of their turn, ended ones newest first.
pub(super) async fn list(
    state: Option<State>,
    page: &PageArgs,
    context: &Context,
) -> anyhow::Result<()> {
    let inspector = connect::inspector(&context.config).await?;
    let limit = usize::from(page.limit).min(MAX_PAGE);
    let listed = inspector.list(state, limit, page.cursor.as_ref()).await?;
    let next = listed.next.as_ref().map(ToString::to_string);
    context.screen.answer(&Listing { jobs: &listed.jobs, next }, || table(&listed))
}

fn table(page: &Page) -> String {
    let more = page.next.as_ref().map(|next| format!("\nmore with: --cursor {next}"));
    render::records_view(&page.jobs) + &more.unwrap_or_default()
}

fn parse_state(word: &str) -> Result<State, String> {
    let known = || State::ALL.map(State::as_str).join(", ");
    State::parse(word).ok_or_else(|| format!("the states are {}", known()))
}
