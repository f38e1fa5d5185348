//! The lines of `workers` go in; who works on the queue comes out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};
use stillcast_enqueue::StageName;

use super::inspector::Inspector;
use crate::QueueError;
use crate::waiting::Worker;

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
    /// Jobs that it may hold at once; null when it does not say.
    pub slots: Option<u64>,
    /// Jobs that it held when it said so last; null when it does not say.
    pub busy: Option<u64>,
    /// While a provider refuses it, and it claims nothing but probes.
    pub refused: Option<RefusedWorker>,
}

/// Where a worker is refused.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedWorker {
    /// The stage; null when it does not know which.
    pub stage: Option<StageName>,
    /// When its next probe is due; the fleet may agree on a later one.
    pub next_probe_at: Option<DateTime<Utc>>,
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
    fn of(name: String, line: &str) -> Self {
        let Worker { seen_ms, draining, standing } = Worker::read(line);
        let seen_at = seen_ms.and_then(DateTime::from_timestamp_millis);
        let refused = standing.as_ref().and_then(|standing| standing.refused);
        let refused = refused.map(|(stage, next)| RefusedWorker {
            stage,
            next_probe_at: DateTime::from_timestamp_millis(next),
        });
        let (slots, busy) = standing.map(|standing| (standing.slots, standing.busy)).unzip();
        Self { name, seen_at, draining, slots, busy, refused }
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
        assert_eq!((seen.slots, seen.busy, seen.refused), (None, None, None));
        let refused = of("17|0|nonce|job-1|4|2|30000|tts|1700000000123");
        assert_eq!((refused.slots, refused.busy), (Some(4), Some(2)));
        assert_eq!(refused.refused.unwrap().stage, Some(StageName::Tts));
        assert_eq!((of("").seen_at, of("x|0").draining), (None, false));
    }
}
