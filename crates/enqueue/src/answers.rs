//! What the scripts of a producer say goes in; what its calls answer comes out.

use crate::script::{self, Answer};
use crate::validate::passed_deadline;
use crate::{EnqueueError, InvalidField, JobId, JobRecord, State};

/// What became of one enqueued job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The job: the new one, or the one that already stood for this request.
    pub id: JobId,
    /// Whether it is new.
    pub submission: Submission,
    /// Whether it would outlive the loss of the server that has answered.
    pub replication: Replication,
}

/// What is known of a job's copies: replicas follow their primary after it has answered, and a
/// fail-over loses what they have not got yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// Nobody has asked: see [`Producer::wait_for_replicas`](crate::Producer::wait_for_replicas).
    NotAsked,
    /// At least as many replicas as were asked for have it.
    Proven,
    /// So many replicas have it; the others may get it later, or never. The job stands all the same.
    Unproven {
        /// Replicas that have it.
        reached: u32,
    },
}

/// Whether an enqueue made a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission {
    /// A new job waits, ready or delayed.
    Created(State),
    /// The request is already known; its job is in this state.
    Duplicate(State),
}

/// What came of waiting for a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Waited {
    /// The record at its terminal state.
    Ended(Box<JobRecord>),
    /// No record by this identifier: never enqueued, or purged.
    Unknown,
    /// The time was over first; the job goes on.
    TimedOut,
}

/// What a cancellation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It waited, and is cancelled now.
    Cancelled,
    /// It runs; its worker ends it, within a third of a lease at the latest.
    Cancelling,
    /// It had ended before.
    Already(State),
    /// No record by this identifier.
    Unknown,
}

impl Enqueued {
    /// What the script says of one job.
    pub(crate) fn read(
        (status, id, state): Answer,
        replication: Replication,
    ) -> Result<Self, EnqueueError> {
        match status.as_str() {
            "created" => Ok(Self {
                id: id_of(&id)?,
                submission: Submission::Created(state_of(&state)?),
                replication,
            }),
            "duplicate" => Ok(Self {
                id: id_of(&id)?,
                submission: Submission::Duplicate(state_of(&state)?),
                replication,
            }),
            "mismatch" => Err(EnqueueError::IdempotencyMismatch { id }),
            "full" => Err(EnqueueError::Full),
            "deadline-passed" => Err(EnqueueError::Invalid(passed_deadline().into())),
            "invalid" => Err(match script::field(&state) {
                Some(field) => EnqueueError::Invalid(refused(field).into()),
                None => EnqueueError::Protocol(status),
            }),
            _ => Err(EnqueueError::Protocol(status)),
        }
    }
}

impl CancelAnswer {
    /// What the script says of a cancellation.
    pub(crate) fn read(answer: &[String]) -> Result<Self, EnqueueError> {
        let words: Vec<&str> = answer.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["cancelled"] => Ok(Self::Cancelled),
            ["cancelling"] => Ok(Self::Cancelling),
            ["already", state] => Ok(Self::Already(state_of(state)?)),
            ["unknown"] => Ok(Self::Unknown),
            _ => Err(EnqueueError::Protocol(answer.join(" "))),
        }
    }
}

/// The script that lets jobs in refused a value: it checks more than this version does.
fn refused(field: &str) -> InvalidField {
    InvalidField::value(field, "what the queue's enqueue.lua says", "something else")
}

fn id_of(text: &str) -> Result<JobId, EnqueueError> {
    JobId::parse(text).map_err(|_| EnqueueError::Protocol("an id that is none".to_owned()))
}

fn state_of(word: &str) -> Result<State, EnqueueError> {
    State::parse(word).ok_or_else(|| EnqueueError::Protocol(format!("state {word}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_job_is_named_by_its_field_out_of_our_own_list() {
        let answer = |word: &str| {
            Enqueued::read(("invalid".into(), "a".into(), word.into()), Replication::NotAsked)
        };
        let Err(EnqueueError::Invalid(fault)) = answer("priority") else { unreachable!() };
        assert_eq!(fault.fields()[0].field, "priority");
        let foreign = answer("my secret").unwrap_err();
        assert!(!foreign.to_string().contains("secret"), "{foreign}");
    }
}
