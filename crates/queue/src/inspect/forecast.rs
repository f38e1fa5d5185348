//! A record or the queue's numbers go in; the same with what is likely to come out of them comes out.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use stillcast_enqueue::{Eta, JobRecord};

use super::inspector::Inspector;
use crate::forecast::{Expectations, Place};
use crate::waiting::WaitingReason;
use crate::{QueueError, QueueStats, WorkerSeen};

/// How far back it is asked: the last hours tell more of the next ones than the last weeks.
const LATELY: Duration = Duration::from_hours(6);
/// Workers that were not heard for so long, in seconds, take no job.
const SILENT_S: i64 = 30;

impl Inspector {
    /// The same numbers, and when the queue is likely to be empty, if nothing comes in and nobody waits
    /// for a person.
    pub async fn forecast(&self, stats: QueueStats) -> Result<QueueStats, QueueError> {
        let expectations = self.expectations().await?;
        let can_claim = |worker: &WorkerSeen| {
            can_be_heard(worker, stats.at) && !worker.draining && worker.refused.is_none()
        };
        let workers = self.workers().await?;
        let slots = workers.iter().filter(|worker| can_claim(worker)).filter_map(|seen| seen.slots);
        let jobs = stats.depth + stats.due_delayed + stats.due_parked + stats.states.leased;
        let slots = if stats.paused { 0 } else { slots.sum() };
        Ok(QueueStats { empty_in: expectations.queue(jobs, slots), ..stats })
    }

    /// When a job that stands so is likely to be done.
    pub(super) async fn eta(
        &self,
        record: &JobRecord,
        reason: &WaitingReason,
        now: DateTime<Utc>,
    ) -> Result<Option<Eta>, QueueError> {
        let (Some(format), Some(place)) = (record.format, place(record, reason, now)) else {
            return Ok(None);
        };
        Ok(self.expectations().await?.job(format, place))
    }

    pub(super) async fn expectations(&self) -> Result<Arc<Expectations>, QueueError> {
        if let Some(known) = self.remembered.fresh() {
            return Ok(known);
        }
        let (_, counts) = self.counted(LATELY).await?;
        let expectations = Arc::new(Expectations::of(&counts));
        self.remembered.keep(&expectations);
        Ok(expectations)
    }
}

/// Whether it was heard lately.
pub(super) fn can_be_heard(worker: &WorkerSeen, now: DateTime<Utc>) -> bool {
    worker.seen_at.is_some_and(|at| (now - at).num_seconds() < SILENT_S)
}

/// `None` where a person, another job or a worker that is not there decides.
fn place(record: &JobRecord, reason: &WaitingReason, now: DateTime<Utc>) -> Option<Place> {
    let seconds = |until: DateTime<Utc>| (until - now).as_seconds_f64().max(0.0);
    match reason {
        // When a later attempt has begun the record does not say.
        WaitingReason::Running { .. } => {
            let began = record.started_at.filter(|_| record.attempt == 1);
            let elapsed_s = began.map_or(0.0, |began| (now - began).as_seconds_f64().max(0.0));
            Some(Place::Runs { elapsed_s })
        }
        WaitingReason::Scheduled { until }
        | WaitingReason::Backoff { until, .. }
        | WaitingReason::Rate { until, .. } => Some(Place::Sleeps { seconds: seconds(*until) }),
        WaitingReason::Turn { ahead } => Some(Place::Next { ahead: *ahead }),
        WaitingReason::SlotsTaken { slots, ahead } => {
            Some(Place::Queues { ahead: *ahead, slots: *slots })
        }
        _ => None,
    }
}
