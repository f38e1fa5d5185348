//! What can be wrong with a job before Redis hears of it, and what Redis can answer.

/// A request that no worker could ever fulfil; found before anything is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidJob {
    /// An identifier outside the grammar.
    #[error("`{field}` must match [A-Za-z0-9][A-Za-z0-9._-]{{0,127}}")]
    Identifier {
        /// The field at fault.
        field: &'static str,
    },
    /// A field over its limit.
    #[error("`{field}` holds {actual} bytes, the limit is {limit}")]
    TooLarge {
        /// The field at fault.
        field: &'static str,
        /// Bytes found.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A field that must not be empty.
    #[error("`{field}` is empty")]
    Empty {
        /// The field at fault.
        field: &'static str,
    },
    /// A number outside its range.
    #[error("`{field}` is {actual}, allowed are {min} to {max}")]
    OutOfRange {
        /// The field at fault.
        field: &'static str,
        /// The number found.
        actual: i64,
        /// The least number allowed.
        min: i64,
        /// The greatest number allowed.
        max: i64,
    },
    /// The deadline would pass before the job may begin.
    #[error("`deadline` must lie after now and after `run_at`")]
    DeadlinePassed,
    /// A conversation that is not named by a UUID.
    #[error("`source.conversation_id` is not a UUID")]
    ConversationId,
    /// A trace context that is not `00-<32 hex>-<16 hex>-<2 hex>`.
    #[error("`traceparent` is not a W3C trace context of version 00")]
    TraceParent,
    /// The script that lets jobs in refused a value: it knows less than this version, or this version
    /// checks less than the script.
    #[error("`{field}` was refused by the queue; see `lua/enqueue.lua` for what it takes")]
    Refused {
        /// The field at fault.
        field: &'static str,
    },
    /// A field that this version does not know, or whose feature has not landed.
    #[error("{0}")]
    Field(String),
}

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
