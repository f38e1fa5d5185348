//! The queue as a whole: its numbers are printed, claiming is paused or resumed, its invariants are
//! checked.

use std::fmt;

use clap::Subcommand;
use queue::Verified;
use serde::Serialize;

use super::audit::AuditArgs;
use super::history::HistoryArgs;
use crate::cli_error::CliError;
use crate::context::{Context, Reason};
use crate::{connect, render};

#[derive(Subcommand)]
pub(crate) enum QueueCommand {
    /// Prints depth, ages and the number of jobs in each state.
    #[command(after_help = "Example:\n  stillcast queue stats --json | jq .depth")]
    Stats,
    /// Pauses claiming; running jobs finish.
    #[command(after_help = "Example:\n  stillcast queue pause")]
    Pause(Reason),
    /// Resumes claiming.
    #[command(after_help = "Example:\n  stillcast queue resume")]
    Resume(Reason),
    /// Lists what people have done to jobs and to the queue, the newest first.
    #[command(after_help = "Example:\n  stillcast queue audit --json | jq -r '.entries[].by'")]
    Audit(AuditArgs),
    /// Shows what the queue did in the last hours or days, as far as its workers have told.
    #[command(
        after_help = "Example:\n  stillcast queue history --hours 24 --json | jq .total.cost"
    )]
    History(HistoryArgs),
    /// Checks the queue's invariants; exit 1 when one is violated.
    #[command(
        after_help = "Example:\n  stillcast queue verify --json | jq -r '.violations[].rule'"
    )]
    Verify,
}

/// Whether claiming is paused now.
#[derive(Serialize)]
struct PauseState {
    paused: bool,
    /// Whether this command changed it.
    changed: bool,
}

impl QueueCommand {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let inspector = connect::inspector(&context.config).await?;
        let state = match self {
            Self::Stats => {
                let stats = inspector.forecast(inspector.stats().await?).await?;
                return context.screen.answer(&stats, || render::stats_view(&stats));
            }
            Self::Verify => return verify(&inspector.verify().await?, context),
            Self::History(args) => return args.run(&inspector, context).await,
            Self::Audit(args) => return args.run(&inspector, context).await,
            Self::Pause(reason) => {
                let changed = inspector.pause(&context.actor(&reason)?).await?;
                PauseState { paused: true, changed }
            }
            Self::Resume(reason) => {
                let changed = inspector.resume(&context.actor(&reason)?).await?;
                PauseState { paused: false, changed }
            }
        };
        context.screen.answer(&state, || state.to_string())
    }
}

/// What a verification found, for programs.
#[derive(Serialize)]
struct Findings<'found> {
    violations: Vec<Finding<'found>>,
    keys: usize,
    jobs: usize,
    members: usize,
    flights: usize,
}

#[derive(Serialize)]
struct Finding<'found> {
    rule: &'static str,
    /// The job or key to blame; null for the queue as a whole.
    id: Option<&'found str>,
    detail: &'found str,
}

fn verify(verified: &Verified, context: &Context) -> anyhow::Result<()> {
    let findings = Findings::of(verified);
    context.screen.answer(&findings, || findings.table())?;
    match findings.violations.len() {
        0 => Ok(()),
        1 => Err(CliError::failed("an invariant is violated")),
        count => Err(CliError::failed(format!("{count} invariants are violated"))),
    }
}

impl<'found> Findings<'found> {
    fn of(verified: &'found Verified) -> Self {
        let &Verified { ref violations, keys, jobs, members, flights } = verified;
        let violations = violations.iter().map(|violation| Finding {
            rule: violation.rule,
            id: violation.id.as_deref(),
            detail: &violation.detail,
        });
        Self { violations: violations.collect(), keys, jobs, members, flights }
    }

    fn table(&self) -> String {
        let Self { violations, keys, jobs, members, flights } = self;
        if violations.is_empty() {
            return format!(
                "sound: {jobs} jobs, {members} index entries, {flights} flights, {keys} keys"
            );
        }
        let mut table = render::Table::new(&["rule", "job", "what is wrong"]);
        for Finding { rule, id, detail } in violations {
            table.row([rule, id.unwrap_or("-"), detail].map(ToOwned::to_owned).to_vec());
        }
        table.lines()
    }
}

impl fmt::Display for PauseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state =
            if self.paused { "paused: running jobs finish" } else { "resumed: workers claim jobs" };
        let before = if self.changed { "" } else { ", as before" };
        write!(f, "{state}{before}")
    }
}
