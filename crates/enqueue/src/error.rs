//! Why a call to the queue fails: the job's own fault, Redis' answer, or none.

use crate::{InvalidField, InvalidJob};

/// Why a call to the queue failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The job itself is at fault; sending it again cannot help.
    #[error(transparent)]
    Invalid(#[from] InvalidJob),
    /// The idempotency key belongs to job `id`, whose request was another one.
    #[error("the idempotency key already belongs to job {id} with another request")]
    IdempotencyMismatch {
        /// The job that owns the key.
        id: String,
    },
    /// Redis is above 75 % of its memory: nothing was written; try again later.
    #[error("the queue is full: Redis is above 75 % of maxmemory; try again later")]
    Full,
    /// The queue's name is not an identifier.
    #[error(transparent)]
    Name(#[from] InvalidField),
    /// The Redis address cannot be used.
    #[error("REDIS_URL cannot be used: {0}")]
    Address(String),
    /// Redis did not answer in time. The job may be enqueued: repeat with the same job, it stays one.
    #[error("Redis did not answer within {0:?}; repeating the same call is safe")]
    TimedOut(std::time::Duration),
    /// Redis refused or the connection broke. Repeating the same call is safe.
    #[cfg(feature = "redis")]
    #[error("Redis: {}{}", .0, crate::address::advice(.0).unwrap_or_default())]
    Redis(redis::RedisError),
    /// Redis answered something that this version does not understand.
    #[error("unexpected answer from Redis: {0}")]
    Protocol(String),
}

// By hand: as a `#[from]` it would be a source too, and whoever prints the chain would print it twice.
#[cfg(feature = "redis")]
impl From<redis::RedisError> for EnqueueError {
    fn from(error: redis::RedisError) -> Self {
        Self::Redis(error)
    }
}
