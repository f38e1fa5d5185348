//! A span goes in; what the queue did in it is printed.

use std::time::Duration;

use clap::Args;
use queue::{History, Inspector, Slot, StageUse};

use crate::context::Context;
use crate::render::{Table, moment, pairs, seconds};

#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// How far back, at most 720 hours: up to 6 by the minute, up to 72 by the quarter, beyond by two
    /// hours.
    #[arg(long, value_name = "NUMBER", default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=720))]
    hours: u64,
}

impl HistoryArgs {
    pub(super) async fn run(self, inspector: &Inspector, context: &Context) -> anyhow::Result<()> {
        let history = inspector.history(Duration::from_hours(self.hours)).await?;
        context.screen.answer(&history, || view(&history))
    }
}

/// The sum of all slots; the slots themselves are for programs.
fn view(history: &History) -> String {
    if history.slots.is_empty() {
        return "no worker has told anything in this time".to_owned();
    }
    let parts = [head(&history.total), stages(&history.total), errors(&history.total)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn head(total: &Slot) -> String {
    let Slot { jobs, cost, cache, .. } = total;
    let usd = |usd: f64| Some(format!("{usd:.4} USD"));
    pairs(&[
        ("since", Some(moment(total.at))),
        ("delivered", Some(jobs.done.to_string())),
        ("dead", Some(jobs.dead.to_string())),
        ("retried", Some(jobs.retried.to_string())),
        ("cache", Some(format!("{} had again, {} made", cache.hits, cache.misses))),
        ("spent", usd(cost.spent_usd)),
        ("avoided", usd(cost.avoided_usd)),
        ("wasted", usd(cost.wasted_usd)),
    ])
}

fn stages(total: &Slot) -> String {
    if total.stages.is_empty() {
        return String::new();
    }
    let headings =
        ["stage", "runs", "half", "19 of 20", "99 of 100", "wait", "tries", "again", "failed"];
    let mut table = Table::new(&headings);
    let time = |at: Option<f64>| at.map_or_else(|| "-".to_owned(), seconds);
    for StageUse { stage, wait, run, tries, hits, errors, .. } in &total.stages {
        table.row(vec![
            stage.to_string(),
            run.count.to_string(),
            time(run.p50_s),
            time(run.p95_s),
            time(run.p99_s),
            time(wait.p95_s),
            tries.to_string(),
            hits.to_string(),
            errors.to_string(),
        ]);
    }
    table.lines()
}

fn errors(total: &Slot) -> String {
    if total.errors.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["failed", "stage", "provider", "code"]);
    for error in &total.errors {
        let (count, stage) = (error.count.to_string(), error.stage.to_string());
        table.row(vec![count, stage, error.provider.clone(), error.code.clone()]);
    }
    table.lines()
}
