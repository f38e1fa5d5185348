//! What a lease is to the process that works under it while another one keeps it.

use serde::{Deserialize, Serialize};

use crate::QueueError;

/// What a process must know to work under a lease that another one keeps. The job itself it reads from
/// Redis, with all that was written under the lease until then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LentLease {
    pub(crate) id: String,
    pub(crate) token: String,
    /// In ns since boot.
    pub(crate) deadline: u64,
    pub(crate) standing: LeaseStanding,
}

/// How a lease stands with its keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseStanding {
    /// In ns since boot.
    pub(crate) valid_until: u64,
    pub(crate) is_draining: bool,
}

/// Why a process cannot work under a lease that it was lent.
#[derive(Debug, thiserror::Error)]
pub enum BorrowError {
    /// The job has gone on without it.
    #[error("the lease was lost before its attempt began")]
    Lost,
    /// Redis could not be asked.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl From<redis::RedisError> for BorrowError {
    fn from(error: redis::RedisError) -> Self {
        Self::Queue(error.into())
    }
}
