//! An identifier goes in; the job is shown, watched, cancelled, replayed or purged.

use clap::{Args, Subcommand};
use queue::{Inspector, ReplayAnswer};
use serde::Serialize;
use stillcast_enqueue::{CancelAnswer, JobRecord, State};

use super::purge;
use crate::cli_error::CliError;
use crate::context::Context;
use crate::progress::Progress;
use crate::watch::unknown;
use crate::{connect, render, watch};

#[derive(Subcommand)]
pub(crate) enum Job {
    /// Prints the job's record.
    #[command(after_help = "Example:\n  stillcast job show ID --json | jq .stages")]
    Show(JobIdArg),
    /// Follows the job until it has ended; exit 1 when it gave no file.
    #[command(after_help = "Example:\n  stillcast job watch ID --json | jq -r .stage")]
    Watch(JobIdArg),
    /// Ends the job: at once while it waits, within seconds while it runs.
    #[command(after_help = "Example:\n  stillcast job cancel ID")]
    Cancel(JobIdArg),
    /// Retries a dead job; finished work is kept.
    #[command(after_help = "Example:\n  stillcast job replay ID && stillcast job watch ID")]
    Replay(JobIdArg),
    /// Removes an ended job: its file, its work, its record. May be repeated.
    #[command(after_help = "\
Examples:
  stillcast job cancel ID; stillcast job purge ID
  stillcast job purge ID --tenant default")]
    Purge(Purged),
}

#[derive(Args)]
pub(crate) struct JobIdArg {
    /// The job's identifier.
    id: String,
}

#[derive(Args)]
pub(crate) struct Purged {
    /// The job's identifier.
    id: String,
    /// Whose job it was; needed once its record is gone.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// What became of a wish, for programs.
#[derive(Serialize)]
pub(super) struct Answer<'answer> {
    pub(super) id: &'answer str,
    /// One stable word.
    #[serde(rename = "answer")]
    pub(super) word: &'static str,
    /// The state that stood in the way, or that the job is in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<State>,
    /// The other job that stood in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<String>,
}

impl Job {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let inspector = connect::inspector(&context.config).await?;
        match self {
            Self::Show(JobIdArg { id }) => show(&inspector, &id, context).await,
            Self::Watch(JobIdArg { id }) => follow(&inspector, &id, context).await,
            Self::Cancel(JobIdArg { id }) => cancel(&inspector, &id, context).await,
            Self::Replay(JobIdArg { id }) => {
                let answer = inspector.replay(&id).await?;
                replayed(&id, &answer, context)
            }
            Self::Purge(Purged { id, tenant }) => {
                let files = purge::Files::of(&context.config).await?;
                let answer = purge::purge(&inspector, &files, &id, tenant.as_deref()).await?;
                purge::purged(&id, answer, context)
            }
        }
    }
}

async fn show(inspector: &Inspector, id: &str, context: &Context) -> anyhow::Result<()> {
    let record = inspector.record(id).await?.ok_or_else(|| unknown(id))?;
    context.screen.answer(&record, || render::record_view(&record))
}

/// Shows every change of the job until it has ended; for programs, one record a line.
pub(super) async fn follow(
    inspector: &Inspector,
    id: &str,
    context: &Context,
) -> anyhow::Result<()> {
    let screen = &context.screen;
    let mut progress = Progress::new(screen);
    let mut last: Option<JobRecord> = None;
    let record = watch::until_ended(inspector, id, |record| {
        progress.show(record);
        if screen.is_json() && last.as_ref() != Some(record) {
            // Printing fails only when nobody can read any more.
            let _ = screen.answer(record, String::new);
            last = Some(record.clone());
        }
    });
    let record = record.await?;
    if !screen.is_json() {
        screen.answer(&record, || render::record_view(&record))?;
    }
    if record.state == State::Done {
        Ok(())
    } else {
        Err(CliError::failed(render::failure(&record)))
    }
}

async fn cancel(inspector: &Inspector, id: &str, context: &Context) -> anyhow::Result<()> {
    let (word, state, words) = match inspector.cancel(id).await? {
        CancelAnswer::Cancelled => ("cancelled", State::Cancelled, "cancelled"),
        CancelAnswer::Cancelling => ("cancelling", State::Leased, "its worker has been told"),
        CancelAnswer::Already(State::Cancelled) => {
            ("already", State::Cancelled, "was cancelled before")
        }
        CancelAnswer::Already(state) => return already(id, state, context),
        CancelAnswer::Unknown => return Err(unknown(id)),
    };
    let value = Answer { id, word, state: Some(state), owner: None };
    context.screen.answer(&value, || format!("{id}  {words}"))
}

fn already(id: &str, state: State, context: &Context) -> anyhow::Result<()> {
    let value = Answer { id, word: "already", state: Some(state), owner: None };
    context.screen.answer(&value, String::new)?;
    Err(CliError::failed(format!("{id} cannot be cancelled: it is {state} already")))
}

/// Says what a replay did; anything but `ready` is a failure.
pub(super) fn replayed(id: &str, answer: &ReplayAnswer, context: &Context) -> anyhow::Result<()> {
    if *answer == ReplayAnswer::Unknown {
        return Err(unknown(id));
    }
    let (value, refusal) = replay_words(id, answer);
    context.screen.answer(&value, || {
        if refusal.is_none() { format!("{id}  ready") } else { String::new() }
    })?;
    refusal.map_or(Ok(()), |sentence| Err(CliError::failed(sentence)))
}

/// The answer for programs, and the sentence for people when it is a refusal.
pub(super) fn replay_words<'id>(
    id: &'id str,
    answer: &ReplayAnswer,
) -> (Answer<'id>, Option<String>) {
    let (word, state, owner, sentence) = match answer {
        ReplayAnswer::Ready => ("ready", Some(State::Ready), None, None),
        ReplayAnswer::NotDead(state) => {
            let sentence = format!("{id} cannot be replayed: it is {state}, not dead");
            ("not-dead", Some(*state), None, Some(sentence))
        }
        ReplayAnswer::BodyGone => {
            let sentence = format!(
                "{id} cannot be replayed: its request is gone, a dead job keeps it for 7 days; \
                 enqueue it anew"
            );
            ("body-gone", Some(State::Dead), None, Some(sentence))
        }
        ReplayAnswer::Duplicate(owner) => {
            let sentence =
                format!("{id} cannot be replayed: its idempotency key now belongs to job {owner}");
            ("duplicate", Some(State::Dead), Some(owner.clone()), Some(sentence))
        }
        ReplayAnswer::Unknown => ("unknown", None, None, Some(format!("there is no job {id}"))),
    };
    (Answer { id, word, state, owner }, sentence)
}
