//! The lines of `workers` go in; who works on the queue comes out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};

use super::inspector::Inspector;
use crate::QueueError;

/// A worker process that has signed on and not off.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSeen {
    /// Its name: host, process and chance, never used again.
    pub name: String,
    /// When it renewed its leases last, by the clock of Redis.
    pub seen_at: Option<DateTime<Utc>>,
    /// Whether it leaves: it ends what it has, and claims no more.
    pub draining: bool,
}

impl Inspector {
    /// The workers that have signed on and not off, by name.
    pub async fn workers(&self) -> Result<Vec<WorkerSeen>, QueueError> {
        let key = self.endpoint.keys().named("workers");
        let lines: HashMap<String, String> = self.connection.clone().hgetall(key).await?;
        let mut workers: Vec<WorkerSeen> =
            lines.into_iter().map(|(name, line)| WorkerSeen::of(name, &line)).collect();
        workers.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(workers)
    }

    /// The words of a job, as far as they were said: private.
    pub async fn transcript(&self, id: &str) -> Result<Option<String>, QueueError> {
        let key = self.endpoint.keys().transcript(id);
        Ok(self.connection.clone().get(key).await?)
    }
}

impl WorkerSeen {
    /// A line is `seen ms | draining 0/1 | nonce | job`.
    fn of(name: String, line: &str) -> Self {
        let mut parts = line.split('|');
        let seen = parts.next().and_then(|ms| ms.parse().ok());
        let draining = parts.next() == Some("1");
        Self { name, seen_at: seen.and_then(DateTime::from_timestamp_millis), draining }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_one_that_is_none_hides_nobody() {
        let of = |line| WorkerSeen::of("host-1".to_owned(), line);
        let seen = of("1700000000123|1|nonce|job-1");
        assert_eq!(seen.seen_at.unwrap().timestamp_millis(), 1_700_000_000_123);
        assert!(seen.draining);
        assert_eq!((of("").seen_at, of("x|0").draining), (None, false));
    }
}
