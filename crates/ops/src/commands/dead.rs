//! Dead letters: jobs that will not run again by themselves are listed, replayed or purged.

use clap::{Args, Subcommand};
use queue::{Inspector, MAX_PAGE, PurgeAnswer, ReplayAnswer};
use serde::Serialize;
use stillcast_enqueue::State;

use super::jobs::{Window, list};
use super::{job, purge};
use crate::cli_error::CliError;
use crate::connect;
use crate::context::Context;

#[derive(Subcommand)]
pub(crate) enum Dead {
    /// Lists dead jobs with their errors, the newest first.
    #[command(after_help = "Example:\n  stillcast dead list --json | jq -r '.jobs[].error.code'")]
    List(Window),
    /// Retries dead jobs; finished work is kept.
    #[command(after_help = "Example:\n  stillcast dead replay --all")]
    Replay(Selection),
    /// Removes dead jobs: files, work, records.
    #[command(after_help = "Example:\n  stillcast dead purge ID ID")]
    Purge(Selection),
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

/// What became of each, for programs.
#[derive(Serialize)]
struct Summary<'ids> {
    /// Identifiers of those that were replayed or purged.
    granted: Vec<&'ids str>,
    /// Those that were not, and why.
    refused: Vec<job::Answer<'ids>>,
}

impl Dead {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List(window) => list(Some(State::Dead), &window, context).await,
            Self::Replay(which) => {
                let inspector = connect::inspector(&context.config).await?;
                replay(&inspector, &which.ids(&inspector).await?, context).await
            }
            Self::Purge(which) => {
                let files = purge::Files::of(&context.config).await?;
                let inspector = connect::inspector(&context.config).await?;
                purge(&inspector, &files, &which.ids(&inspector).await?, context).await
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

async fn replay(inspector: &Inspector, ids: &[String], context: &Context) -> anyhow::Result<()> {
    let mut summary = Summary { granted: Vec::new(), refused: Vec::new() };
    for id in ids {
        let answer = inspector.replay(id).await?;
        if answer == ReplayAnswer::Ready {
            summary.granted.push(id);
        } else {
            summary.refused.push(job::replay_words(id, &answer).0);
        }
    }
    summary.conclude("replayed", context)
}

async fn purge(
    inspector: &Inspector,
    files: &purge::Files,
    ids: &[String],
    context: &Context,
) -> anyhow::Result<()> {
    let mut summary = Summary { granted: Vec::new(), refused: Vec::new() };
    for id in ids {
        // A job that left the dead letters since it was listed is not ours to remove.
        let state = inspector.record(id).await?.map(|record| record.state);
        match state {
            Some(State::Dead) => match purge::purge(inspector, files, id, None).await? {
                PurgeAnswer::Purged => summary.granted.push(id),
                answer => summary.refused.push(purge::words(id, answer).0),
            },
            Some(_) => {
                summary.refused.push(job::Answer { id, word: "not-dead", state, owner: None });
            }
            None => summary.refused.push(purge::words(id, PurgeAnswer::Unknown).0),
        }
    }
    summary.conclude("purged", context)
}

impl Summary<'_> {
    fn conclude(&self, verb: &str, context: &Context) -> anyhow::Result<()> {
        context.screen.answer(self, || {
            let granted = self.granted.iter().map(|id| format!("{id}  {verb}"));
            granted.collect::<Vec<_>>().join("\n")
        })?;
        if self.granted.is_empty() && self.refused.is_empty() {
            context.screen.note("there are no dead jobs");
        }
        if self.refused.is_empty() {
            return Ok(());
        }
        let refused: Vec<String> = self.refused.iter().map(job::Answer::words).collect();
        Err(CliError::failed(format!("not {verb}: {}", refused.join("; "))))
    }
}

impl job::Answer<'_> {
    fn words(&self) -> String {
        let state = self.state.map_or_else(String::new, |state| format!(" ({state})"));
        format!("{} {}{state}", self.id, self.word)
    }
}
