//! What can go wrong between a worker or an operator and the queue.

use stillcast_enqueue::address;

/// Why a call to the queue failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The Redis address cannot be used.
    #[error("REDIS_URL cannot be used: {0}")]
    Address(String),
    /// Redis could not be reached or refused the call.
    #[error("Redis: {}{}", .0, address::advice(.0).unwrap_or_default())]
    Redis(redis::RedisError),
    /// The server is set up so that it would lose jobs.
    #[error("{0}")]
    Unfit(String),
    /// The queue's name is not an identifier.
    #[error(transparent)]
    Name(#[from] stillcast_enqueue::InvalidField),
    /// A script answered something that this version does not understand.
    #[error("the script `{script}` answered something unexpected: {answer}")]
    Protocol {
        /// The script.
        script: &'static str,
        /// What it said.
        answer: String,
    },
    /// The operating system refused a thread or a clock.
    #[error("the operating system: {0}")]
    System(#[from] std::io::Error),
}

// By hand: as a `#[from]` it would be a source too, and whoever prints the chain would print it twice.
impl From<redis::RedisError> for QueueError {
    fn from(error: redis::RedisError) -> Self {
        Self::Redis(error)
    }
}

impl QueueError {
    /// Whether a script has refused a value, so that the same call can only fail again.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::Redis(error) if error.code() == Some("INVALID"))
    }
}
