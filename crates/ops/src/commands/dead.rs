//! Dead letters go in, jobs that will not run again by themselves; they are listed, replayed or purged.

use clap::{Args, Subcommand};
use queue::{Actor, Inspector, JobFiles, MAX_PAGE};
use serde::Serialize;
use stillcast_enqueue::State;

use super::answer::Answer;
use super::jobs::{PageArgs, list};
use crate::cli_error::CliError;
use crate::connect;
use crate::context::{Context, Reason};
use crate::job_files::StoredFiles;
use crate::render::Screen;

#[derive(Subcommand)]
pub(crate) enum DeadCommand {
    /// Lists dead jobs with their errors, the newest first.
    #[command(after_help = "Example:\n  stillcast dead list --json | jq -r '.jobs[].error.code'")]
    List(PageArgs),
    /// Retries dead jobs; finished work is kept.
    #[command(after_help = "Example:\n  stillcast dead replay --all")]
    Replay(ChangeArgs),
    /// Removes dead jobs: files, work, records.
    #[command(after_help = "Example:\n  stillcast dead purge ID ID")]
    Purge(ChangeArgs),
}

#[derive(Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    reason: Reason,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Selection {
    /// The jobs' identifiers.
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// All dead jobs.
    #[arg(long)]
    all: bool,
}

/// What became of each job, for programs.
#[derive(Default, Serialize)]
struct Summary<'ids> {
    /// Identifiers of those that were replayed or purged.
    granted: Vec<&'ids str>,
    /// Those that were not, and why.
    refused: Vec<Answer<'ids>>,
}

impl DeadCommand {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List(page) => list(Some(State::Dead), &page, context).await,
            Self::Replay(ChangeArgs { selection, reason }) => {
                let actor = context.actor(&reason)?;
                let inspector = connect::inspector(&context.config).await?;
                let ids = selection.ids(&inspector).await?;
                replay(&inspector, &ids, &actor).await?.print("replayed", &context.screen)
            }
            Self::Purge(ChangeArgs { selection, reason }) => {
                let actor = context.actor(&reason)?;
                let files = StoredFiles::open(&context.config).await?;
                let inspector = connect::inspector(&context.config).await?;
                let ids = selection.ids(&inspector).await?;
                purge(&inspector, &files, &ids, &actor).await?.print("purged", &context.screen)
            }
        }
    }
}

impl Selection {
    /// The identifiers given, or those of all dead jobs at this moment.
    async fn ids(&self, inspector: &Inspector) -> anyhow::Result<Vec<String>> {
        if !self.all {
            return Ok(self.ids.clone());
        }
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let page = inspector.list(Some(State::Dead), MAX_PAGE, cursor.as_ref()).await?;
            ids.extend(page.jobs.into_iter().map(|record| record.id));
            cursor = page.next;
            if cursor.is_none() {
                return Ok(ids);
            }
        }
    }
}

async fn replay<'ids>(
    inspector: &Inspector,
    ids: &'ids [String],
    actor: &Actor,
) -> anyhow::Result<Summary<'ids>> {
    let mut summary = Summary::default();
    for id in ids {
        summary.add(Answer::of_replay(id, inspector.replay(id, actor).await?));
    }
    Ok(summary)
}

async fn purge<'ids>(
    inspector: &Inspector,
    files: &dyn JobFiles,
    ids: &'ids [String],
    actor: &Actor,
) -> anyhow::Result<Summary<'ids>> {
    let mut summary = Summary::default();
    for id in ids {
        summary.add(match inspector.record(id).await? {
            // A job that left the dead letters since it was listed must not be removed.
            Some(record) if record.state != State::Dead => Answer::not_dead(id, record.state),
            _ => Answer::of_purge(id, queue::purge(inspector, files, id, None, actor).await?),
        });
    }
    Ok(summary)
}

impl<'ids> Summary<'ids> {
    fn add(&mut self, answer: Answer<'ids>) {
        if answer.is_refused() {
            self.refused.push(answer);
        } else {
            self.granted.push(answer.id);
        }
    }

    /// Prints what was `done` to each; a refusal is a failure.
    fn print(&self, done: &str, screen: &Screen) -> anyhow::Result<()> {
        screen.answer(self, || {
            let lines = self.granted.iter().map(|id| format!("{id}  {done}"));
            lines.collect::<Vec<_>>().join("\n")
        })?;
        if self.granted.is_empty() && self.refused.is_empty() {
            screen.note("there are no dead jobs");
        }
        if self.refused.is_empty() {
            return Ok(());
        }
        let refused: Vec<String> = self.refused.iter().map(Answer::to_string).collect();
        Err(CliError::failed(format!("not {done}: {}", refused.join("; "))))
    }
}
