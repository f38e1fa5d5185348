//! A place in the audit goes in; what people did before that is printed, the newest first.

use clap::Args;
use queue::{AuditEntry, Inspector};
use serde::Serialize;

use crate::context::Context;
use crate::render::{Table, moment};

#[derive(Args)]
pub(crate) struct AuditArgs {
    /// At most so many, 500 of a page.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Only what was done before the entry of this number.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
}

/// A page of the audit, for programs.
#[derive(Serialize)]
struct Audit {
    entries: Vec<AuditEntry>,
    /// The `--before` of the next page; null after the last.
    next: Option<u64>,
}

impl AuditArgs {
    pub(super) async fn run(self, inspector: &Inspector, context: &Context) -> anyhow::Result<()> {
        let page = inspector.audit(self.limit.into(), self.before).await?;
        let audit = Audit { entries: page.entries, next: page.next };
        context.screen.answer(&audit, || audit.table())
    }
}

impl Audit {
    fn table(&self) -> String {
        if self.entries.is_empty() {
            return "nobody has changed anything".to_owned();
        }
        let mut table = Table::new(&["number", "when", "who", "by", "did", "of", "result", "why"]);
        for entry in &self.entries {
            table.row(vec![
                entry.number.to_string(),
                moment(entry.at),
                entry.by.clone(),
                entry.interface.clone(),
                did(entry),
                subject(entry),
                entry.result.clone(),
                entry.why.clone().unwrap_or_default(),
            ]);
        }
        table.lines()
    }
}

/// What somebody did, and what that changed.
fn did(entry: &AuditEntry) -> String {
    let changes = entry.changes.as_ref().map(|changes| format!(", {changes}"));
    entry.action.clone() + &changes.unwrap_or_default()
}

/// The job, or the filter and how many it met, or the queue.
fn subject(entry: &AuditEntry) -> String {
    match (&entry.job, &entry.filter) {
        (Some(job), _) => job.clone(),
        (None, Some(filter)) => format!("{filter} ({} jobs)", entry.jobs.unwrap_or_default()),
        (None, None) => "queue".to_owned(),
    }
}
