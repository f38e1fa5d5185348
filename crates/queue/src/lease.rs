//! The right to work on one job for a time, and all that may be written under it.

mod checkpoints;
mod flights;
mod lent;
mod written;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use stillcast_enqueue::connection::{is_unserved, pause};
use stillcast_enqueue::{Cost, Envelope};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::written::Written;
use crate::clock::Moment;
use crate::lease_state::LeaseState;
use crate::lease_table::LeaseTable;
use crate::link::Link;
use crate::scripts::lease_calls::LeaseCalls;
use crate::{Interrupted, QueueError};

/// So many crashes without a checkpoint make a job suspect.
const SUSPECT_AT_CRASHES: u32 = 2;

/// A lease. Clones are the same lease; only the consumer ends it.
#[derive(Clone)]
pub struct Lease {
    job: Arc<LeasedJob>,
    pub(crate) state: Arc<LeaseState>,
    table: Arc<LeaseTable>,
    link: Link,
}

/// What the claim said of the job, and what was remembered of it since.
struct LeasedJob {
    envelope: Envelope,
    hash: HashMap<String, String>,
    written: Written,
    /// Whoever has it writes a checkpoint.
    turn: Semaphore,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("id", &self.state.id)
            .field("token", &self.state.token)
            .finish_non_exhaustive()
    }
}

impl Lease {
    /// Enters the lease into the table.
    pub(crate) fn new(
        envelope: Envelope,
        hash: HashMap<String, String>,
        state: LeaseState,
        table: Arc<LeaseTable>,
        link: Link,
    ) -> Self {
        let earlier = hash.get("cost").and_then(|text| serde_json::from_str(text).ok());
        state.cost.open(earlier.unwrap_or_default());
        let state = Arc::new(state);
        table.insert(Arc::clone(&state));
        let job =
            LeasedJob { envelope, hash, written: Written::default(), turn: Semaphore::new(1) };
        Self { job: Arc::new(job), state, table, link }
    }

    /// The attempt is over: the lease leaves the table.
    pub(crate) fn end(&self) {
        self.table.remove(&self.state);
    }

    /// The job.
    pub fn id(&self) -> &str {
        &self.state.id
    }

    /// `fence:nonce`, the right to write; unique to this lease.
    pub fn token(&self) -> &str {
        &self.state.token
    }

    /// The request.
    pub fn envelope(&self) -> &Envelope {
        &self.job.envelope
    }

    /// Whose job it is.
    pub fn tenant(&self) -> &str {
        self.field("tenant").unwrap_or_default()
    }

    /// The producer's trace.
    pub fn traceparent(&self) -> Option<&str> {
        self.field("traceparent")
    }

    /// Attempts used before this one, plus one.
    pub fn attempt(&self) -> u32 {
        self.field("attempts").and_then(|text| text.parse().ok()).unwrap_or(0) + 1
    }

    /// Times that a worker, or the process of an attempt, has died under it since its last checkpoint.
    pub fn crashes(&self) -> u32 {
        self.field("crashes").and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Whether the next crash may be the job's doing too: two of them are behind it, so that this attempt
    /// belongs into a process of its own.
    pub fn is_suspect(&self) -> bool {
        self.crashes() >= SUSPECT_AT_CRASHES
    }

    /// When the job was accepted, in ms since the epoch by Redis' clock.
    pub fn ready_ms(&self) -> Option<i64> {
        self.field("ready_ms")?.parse().ok()
    }

    /// What earlier attempts have cost, and this one before it was told to go on.
    pub fn earlier_cost(&self) -> Cost {
        self.state.cost.earlier()
    }

    /// Books what this attempt has cost until now, in all; written with the next checkpoint, and
    /// with the report.
    pub fn record_cost(&self, cost: Cost) {
        self.state.cost.record(cost);
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.job.hash.get(name).map(String::as_str)
    }

    /// Whether a paid call, a cache put or an upload may begin now.
    pub fn check(&self) -> Result<(), Interrupted> {
        self.state.fence(Moment::now());
        match self.state.interruption() {
            Some(why) => Err(why),
            None if self.table.is_draining() => Err(Interrupted::Draining),
            None => Ok(()),
        }
    }

    /// Cancelled when work in flight must stop: lease lost, cancelled, deadline, end of the drain.
    pub fn stop(&self) -> &CancellationToken {
        &self.state.stop
    }

    /// Waits until work in flight must stop. Wakes by itself when the lease or the deadline is over.
    pub async fn interrupted(&self) -> Interrupted {
        loop {
            let now = Moment::now();
            if self.state.fence(now)
                && let Some(why) = self.state.interruption()
            {
                return why;
            }
            let left = self.state.next_fence().saturating_since(now);
            let _ = tokio::time::timeout(left, self.state.stop.cancelled()).await;
        }
    }

    /// Shows stage, percent and the stages' record (JSON, empty = unchanged) to those who watch.
    /// One try: it is worth no waiting.
    pub async fn progress(&self, stage: &str, percent: u8, stages: &str) {
        if let Err(error) = self.calls().progress(stage, percent, stages).await {
            tracing::debug!(job.id = self.id(), %error, "progress was not written");
        }
    }

    fn calls(&self) -> LeaseCalls<'_> {
        self.link.lease(self.id(), self.token())
    }

    /// Whether the lease goes on, after Redis has said whether its token is current.
    pub(crate) fn still_current(&self, current: bool) -> Result<(), Interrupted> {
        if !current {
            self.state.interrupt(Interrupted::LeaseLost);
        }
        self.state.interruption().map_or(Ok(()), Err)
    }

    /// Repeats an idempotent call until Redis answers. The caller is dropped when the lease ends.
    pub(crate) async fn repeat<'lease, T, E: Into<QueueError>, Call>(
        &'lease self,
        call: impl Fn(LeaseCalls<'lease>) -> Call,
    ) -> T
    where
        Call: Future<Output = Result<T, E>>,
    {
        for tries in 0.. {
            match call(self.calls()).await.map_err(Into::into) {
                Ok(answer) => return answer,
                // Whoever watches the connection tells of an outage, once.
                Err(QueueError::Redis(error)) if is_unserved(&error) => {}
                Err(error) if tries == 0 => {
                    tracing::warn!(job.id = self.id(), %error, "write to Redis failed, retrying");
                }
                Err(error) => {
                    tracing::debug!(job.id = self.id(), %error, "write to Redis failed, retrying");
                }
            }
            tokio::time::sleep(pause(tries)).await;
        }
        unreachable!("a write is repeated until Redis answers")
    }
}
