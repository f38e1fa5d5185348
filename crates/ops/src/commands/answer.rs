//! What an action did with one job goes in; a stable word for programs and a sentence for people come
//! out.

use std::fmt;

use queue::{PurgeAnswer, ReplayAnswer, ResendAnswer};
use serde::Serialize;
use stillcast_enqueue::{CancelAnswer, State};

use crate::cli_error::CliError;
use crate::render::Screen;

/// The word of an identifier that names nothing.
const UNKNOWN: &str = "unknown";
/// The word of a job that is no dead letter.
const NOT_DEAD: &str = "not-dead";

/// What became of one job.
#[derive(Serialize)]
pub(super) struct Answer<'id> {
    pub(super) id: &'id str,
    /// One stable word.
    #[serde(rename = "answer")]
    word: &'static str,
    /// The state that stood in the way, or that the job is in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    /// The other job that stood in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// For people: what was done, or the sentence why it was refused.
    #[serde(skip)]
    text: Result<&'static str, String>,
}

impl<'id> Answer<'id> {
    pub(super) fn of_cancel(id: &'id str, answer: CancelAnswer) -> Self {
        use State::{Cancelled, Leased};
        match answer {
            CancelAnswer::Cancelled => Self::done(id, "cancelled", Some(Cancelled), "cancelled"),
            CancelAnswer::Cancelling => {
                Self::done(id, "cancelling", Some(Leased), "its worker has been told")
            }
            CancelAnswer::Already(Cancelled) => {
                Self::done(id, "already", Some(Cancelled), "was cancelled before")
            }
            CancelAnswer::Already(state) => {
                let reason = format!("{id} cannot be cancelled: it is {state} already");
                Self::refused(id, "already", Some(state), reason)
            }
            CancelAnswer::Unknown => Self::refused(id, UNKNOWN, None, unknown_job(id)),
        }
    }

    pub(super) fn of_replay(id: &'id str, answer: ReplayAnswer) -> Self {
        match answer {
            ReplayAnswer::Ready => Self::done(id, "ready", Some(State::Ready), "ready"),
            ReplayAnswer::NotDead(state) => {
                let reason = format!("{id} cannot be replayed: it is {state}, not dead");
                Self::refused(id, NOT_DEAD, Some(state), reason)
            }
            ReplayAnswer::BodyGone => {
                let reason = format!(
                    "{id} cannot be replayed: its request is gone, a dead job keeps it for 7 \
                     days; enqueue it anew"
                );
                Self::refused(id, "body-gone", Some(State::Dead), reason)
            }
            ReplayAnswer::Duplicate(owner) => {
                let reason = format!(
                    "{id} cannot be replayed: its idempotency key now belongs to job {owner}"
                );
                let refused = Self::refused(id, "duplicate", Some(State::Dead), reason);
                Self { owner: Some(owner), ..refused }
            }
            ReplayAnswer::Unreadable(why) => {
                let reason = format!(
                    "{id} cannot be replayed with changes: {why}; replay it as it is, or enqueue it anew"
                );
                Self::refused(id, "request-unreadable", Some(State::Dead), reason)
            }
            ReplayAnswer::Unknown => Self::refused(id, UNKNOWN, None, unknown_job(id)),
        }
    }

    pub(super) fn of_purge(id: &'id str, answer: PurgeAnswer) -> Self {
        match answer {
            PurgeAnswer::Purged => Self::done(id, "purged", None, "purged"),
            PurgeAnswer::NotEnded(state) => {
                let reason =
                    format!("{id} is {state}: cancel it first with `stillcast job cancel {id}`");
                Self::refused(id, "not-ended", Some(state), reason)
            }
            PurgeAnswer::Unknown => {
                let reason = format!(
                    "there is no job {id}; if only its record is gone, `--tenant` finds its files"
                );
                Self::refused(id, UNKNOWN, None, reason)
            }
        }
    }

    pub(super) fn of_resend(id: &'id str, answer: ResendAnswer) -> Self {
        match answer {
            ResendAnswer::Due => Self::done(id, "due", None, "its end is told at once"),
            ResendAnswer::NotEnded(state) => {
                let reason = format!("{id} is {state}: its end is told once it has ended");
                Self::refused(id, "not-ended", Some(state), reason)
            }
            ResendAnswer::None => {
                let reason = format!("{id} has no webhook: its request named none");
                Self::refused(id, "no-webhook", None, reason)
            }
            ResendAnswer::Unknown => Self::refused(id, UNKNOWN, None, unknown_job(id)),
        }
    }

    /// A job that is no dead letter, or no longer.
    pub(super) fn not_dead(id: &'id str, state: State) -> Self {
        Self::refused(id, NOT_DEAD, Some(state), format!("{id} is {state}, not dead"))
    }

    fn done(id: &'id str, word: &'static str, state: Option<State>, text: &'static str) -> Self {
        Self { id, word, state, owner: None, text: Ok(text) }
    }

    fn refused(id: &'id str, word: &'static str, state: Option<State>, reason: String) -> Self {
        Self { id, word, state, owner: None, text: Err(reason) }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.text.is_err()
    }

    /// Prints the answer to a command about one job. A refusal is a failure; an unknown job has no
    /// answer beside it.
    pub(super) fn print(self, screen: &Screen) -> anyhow::Result<()> {
        if self.word != UNKNOWN {
            screen.answer(&self, || match self.text {
                Ok(text) => format!("{}  {text}", self.id),
                Err(_) => String::new(),
            })?;
        }
        self.text.map(drop).map_err(CliError::failed)
    }
}

/// The short form, for lists of refusals.
impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.word)?;
        self.state.map_or(Ok(()), |state| write!(f, " ({state})"))
    }
}

/// The sentence for an identifier that names nothing.
pub(super) fn unknown_job(id: &str) -> String {
    format!("there is no job {id}: it never was, or its record was purged")
}
