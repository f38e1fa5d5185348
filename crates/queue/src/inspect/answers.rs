//! The words of the verbs with which an operator mends a queue go in, typed answers come out.

use stillcast_enqueue::{CancelAnswer, State};

use crate::QueueError;

/// What a replay did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayAnswer {
    /// It is ready, its counters reset, its checkpoints kept.
    Ready,
    /// Only dead jobs are replayed; this one is in another state.
    NotDead(State),
    /// Its request is gone: a dead job keeps it for seven days.
    BodyGone,
    /// Its idempotency key now belongs to this other job.
    Duplicate(String),
    /// Its request cannot be changed here, and why: a newer version has written it, or it is none.
    Unreadable(String),
    /// No record by this identifier.
    Unknown,
}

/// What a purge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeAnswer {
    /// The record is gone.
    Purged,
    /// Only ended jobs are purged; this one is in this state.
    NotEnded(State),
    /// No record by this identifier.
    Unknown,
}

/// What a resend did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResendAnswer {
    /// It is sent within a second or two, and its endpoint is not off any more.
    Due,
    /// There is nothing to tell yet: the job is in this state.
    NotEnded(State),
    /// Nobody has asked to be told.
    None,
    /// No record by this identifier.
    Unknown,
}

pub(super) fn cancelled(answer: &[String]) -> Result<CancelAnswer, QueueError> {
    match words(answer).as_slice() {
        ["cancelled"] => Ok(CancelAnswer::Cancelled),
        ["cancelling"] => Ok(CancelAnswer::Cancelling),
        ["already", state] => Ok(CancelAnswer::Already(state_of("cancel", state)?)),
        ["unknown"] => Ok(CancelAnswer::Unknown),
        _ => Err(unexpected("cancel", answer)),
    }
}

pub(super) fn replayed(answer: &[String]) -> Result<ReplayAnswer, QueueError> {
    match words(answer).as_slice() {
        ["ready"] => Ok(ReplayAnswer::Ready),
        ["not-dead", state] => Ok(ReplayAnswer::NotDead(state_of("replay", state)?)),
        ["body-gone"] => Ok(ReplayAnswer::BodyGone),
        ["duplicate", owner] => Ok(ReplayAnswer::Duplicate((*owner).to_owned())),
        ["unknown"] => Ok(ReplayAnswer::Unknown),
        _ => Err(unexpected("replay", answer)),
    }
}

pub(super) fn purged(answer: &[String]) -> Result<PurgeAnswer, QueueError> {
    match words(answer).as_slice() {
        ["purged"] => Ok(PurgeAnswer::Purged),
        ["not-ended", state] => Ok(PurgeAnswer::NotEnded(state_of("purge", state)?)),
        ["unknown"] => Ok(PurgeAnswer::Unknown),
        _ => Err(unexpected("purge", answer)),
    }
}

pub(super) fn resent(answer: &[String]) -> Result<ResendAnswer, QueueError> {
    match words(answer).as_slice() {
        ["due"] => Ok(ResendAnswer::Due),
        ["not-ended", state] => Ok(ResendAnswer::NotEnded(state_of("resend", state)?)),
        ["none"] => Ok(ResendAnswer::None),
        ["unknown"] => Ok(ResendAnswer::Unknown),
        _ => Err(unexpected("resend", answer)),
    }
}

fn words(answer: &[String]) -> Vec<&str> {
    answer.iter().map(String::as_str).collect()
}

fn state_of(script: &'static str, word: &str) -> Result<State, QueueError> {
    State::parse(word).ok_or_else(|| QueueError::Protocol { script, answer: word.to_owned() })
}

fn unexpected(script: &'static str, answer: &[String]) -> QueueError {
    QueueError::Protocol { script, answer: answer.join(" ") }
}
