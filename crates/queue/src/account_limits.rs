//! What a provider's account allows goes in, call by call; whether the fleet may make another one comes out.
//!
//! It lies in the queue's Redis and not in the cache's: every worker has it, nothing is evicted there, and
//! when it is away no job runs anyway. Workers of several queues do not know of each other's calls.

use std::time::Duration;

use redis::RedisResult;
use stillcast_enqueue::connection::SharedConnection;
use tokio::time::timeout;

use crate::QueueError;
use crate::connection::Endpoint;
use crate::scripts::limit_calls::{Admission, AdmitRequest, Settlement};
use crate::scripts::{Clock, Scripts};

/// Longest wait for Redis: a call that nobody could judge begins all the same.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The limits of accounts, as a fleet keeps them. Cheap to clone.
#[derive(Clone)]
pub struct AccountLimits {
    connection: SharedConnection,
    scripts: Scripts,
}

impl AccountLimits {
    /// Those of the fleet at `endpoint`. Connects at its first use.
    pub fn new(endpoint: &Endpoint) -> Self {
        let connection = endpoint.at_first_use(ANSWER_TIMEOUT);
        Self { connection, scripts: Scripts::new(endpoint.keys().clone(), Clock::Server) }
    }

    /// Asks for a place for one call.
    pub async fn admit(&self, request: &AdmitRequest<'_>) -> Result<Admission, QueueError> {
        let mut connection = self.connection.clone();
        in_time(self.scripts.admit(&mut connection, request)).await
    }

    /// Says what became of calls.
    pub async fn settle(&self, settlement: &Settlement<'_>) -> Result<(), QueueError> {
        let mut connection = self.connection.clone();
        in_time(self.scripts.settle(&mut connection, settlement)).await
    }
}

async fn in_time<T>(call: impl Future<Output = RedisResult<T>>) -> Result<T, QueueError> {
    let silent = || {
        let kind = redis::ErrorKind::Io;
        redis::RedisError::from((kind, "the limits of accounts were not answered for in time"))
    };
    Ok(timeout(ANSWER_TIMEOUT, call).await.unwrap_or_else(|_| Err(silent()))?)
}
