//! The right to work on one job for a time, and all that may be written under it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionManager;
use stillcast_enqueue::{Cost, Envelope};
use tokio_util::sync::CancellationToken;

use crate::clock::Moment;
use crate::lease_table::{LeaseState, LeaseTable};
use crate::scripts::Scripts;

/// Why an attempt must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// The lease may have passed to another worker.
    #[error("the lease was lost")]
    LeaseLost,
    /// A person ended the job.
    #[error("the job was cancelled")]
    Cancelled,
    /// The job's deadline has passed.
    #[error("the job's deadline has passed")]
    DeadlinePassed,
    /// The worker leaves.
    #[error("the worker is draining")]
    Draining,
}

/// What joining a flight answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinAnswer {
    /// This job pays; recall once more before, land after.
    Owned,
    /// The named job already pays.
    Waiting {
        /// The owner.
        owner: String,
    },
    /// The value exists but cannot be shared: pay without a flight.
    Unshared,
    /// This input can never succeed; the owner's error as JSON.
    Permanent(String),
}

/// How a flight ends for its waiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlightResult {
    /// The value can be recalled.
    Stored,
    /// The value could not be stored: each waiter pays for itself.
    Unshared,
    /// This input can never succeed; the error as JSON.
    Permanent(String),
}

/// First pause between two tries to reach Redis, and the longest.
const MIN_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// A lease. Clones are the same lease; only the consumer ends it.
#[derive(Clone)]
pub struct Lease {
    job: Arc<LeasedJob>,
    pub(crate) held: Arc<LeaseState>,
    pub(crate) leases: Arc<LeaseTable>,
    pub(crate) link: Link,
}

/// The way to Redis under a lease.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) scripts: Scripts,
    pub(crate) connection: ConnectionManager,
}

/// What the claim said of the job.
pub(crate) struct LeasedJob {
    pub(crate) envelope: Envelope,
    pub(crate) hash: HashMap<String, String>,
    /// What this lease has remembered.
    written: Mutex<Written>,
}

/// Checkpoints of this lease.
#[derive(Default)]
struct Written {
    /// Every digest, the first of each name: the attempt may begin again under the same lease.
    digests: HashMap<String, String>,
    /// Digests that Redis has not confirmed yet: the report carries them out first.
    unconfirmed: Vec<(String, String)>,
    /// Words that Redis has not confirmed yet.
    words: Option<String>,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("id", &self.held.id)
            .field("token", &self.held.token)
            .finish_non_exhaustive()
    }
}

impl Lease {
    pub(crate) fn new(
        envelope: Envelope,
        hash: HashMap<String, String>,
        held: Arc<LeaseState>,
        leases: Arc<LeaseTable>,
        link: Link,
    ) -> Self {
        let earlier = hash.get("cost").and_then(|text| serde_json::from_str(text).ok());
        held.cost.open(earlier.unwrap_or_default());
        let job = LeasedJob { envelope, hash, written: Mutex::default() };
        Self { job: Arc::new(job), held, leases, link }
    }

    /// The job.
    pub fn id(&self) -> &str {
        &self.held.id
    }

    /// `fence:nonce`, the right to write; unique to this lease.
    pub fn token(&self) -> &str {
        &self.held.token
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

    /// When the job was accepted, in ms since the epoch by Redis' clock.
    pub fn ready_ms(&self) -> Option<i64> {
        self.field("ready_ms")?.parse().ok()
    }

    /// What earlier attempts have cost, and this one before it was told to go on.
    pub fn earlier_cost(&self) -> Cost {
        self.held.cost.earlier()
    }

    /// Books what this attempt has cost until now, in all; written with the next checkpoint, and
    /// with the report.
    pub fn record_cost(&self, cost: Cost) {
        self.held.cost.record(cost);
    }

    /// The digest that this attempt or an earlier one stored under `name`.
    pub fn recall(&self, name: &str) -> Option<String> {
        let earlier = self.job.hash.get(&format!("checkpoint:{name}")).cloned();
        earlier.or_else(|| self.written().digests.get(name).cloned())
    }

    /// The words said by this attempt and earlier ones, as far as they were remembered. Repeats
    /// until Redis has answered; the caller is dropped when the lease ends.
    pub async fn partial_transcript(&self) -> Option<String> {
        if let Some(words) = self.written().words.clone() {
            return Some(words);
        }
        let key = self.link.scripts.keys().transcript(self.id());
        let key = key.as_str();
        self.repeat(|mut link: Link| async move {
            redis::cmd("GET").arg(key).query_async(&mut link.connection).await
        })
        .await
    }

    /// Replaces the words said until now; they go out with the next checkpoint, or the report.
    pub fn save_partial_transcript(&self, words: impl Into<String>) {
        self.written().words = Some(words.into());
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.job.hash.get(name).map(String::as_str)
    }

    /// Whether a paid call, a cache put or an upload may begin now.
    pub fn check(&self) -> Result<(), Interrupted> {
        self.held.fence(Moment::now());
        match self.held.interruption() {
            Some(why) => Err(why),
            None if self.leases.is_draining() => Err(Interrupted::Draining),
            None => Ok(()),
        }
    }

    /// Cancelled when work in flight must stop: lease lost, cancelled, deadline, end of the drain.
    pub fn stop(&self) -> &CancellationToken {
        &self.held.stop
    }

    /// Waits until work in flight must stop. Wakes by itself when the lease or the deadline is over.
    pub async fn interrupted(&self) -> Interrupted {
        loop {
            let now = Moment::now();
            if self.held.fence(now)
                && let Some(why) = self.held.interruption()
            {
                return why;
            }
            let left = self.held.next_fence().saturating_since(now);
            let _ = tokio::time::timeout(left, self.held.stop.cancelled()).await;
        }
    }

    /// Remembers finished paid calls as `(name, digest)`. Repeats until Redis has answered, or the
    /// lease is over; what Redis has not confirmed by then goes out with the report.
    pub async fn checkpoint(&self, digests: &[(&str, &str)]) -> Result<(), Interrupted> {
        {
            let mut written = self.written();
            for (name, digest) in digests {
                let (name, digest) = ((*name).to_owned(), (*digest).to_owned());
                written.unconfirmed.push((name.clone(), digest.clone()));
                written.digests.entry(name).or_insert(digest);
            }
        }
        self.confirm_checkpoints().await
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.job.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is unconfirmed, until Redis answers.
    pub(crate) async fn confirm_checkpoints(&self) -> Result<(), Interrupted> {
        let (batch, words) = {
            let written = self.written();
            (written.unconfirmed.clone(), written.words.clone())
        };
        if batch.is_empty() && words.is_none() {
            return Ok(());
        }
        let digests: Vec<(&str, &str)> =
            batch.iter().map(|(name, digest)| (name.as_str(), digest.as_str())).collect();
        let (id, token, digests) = (self.id(), self.token(), digests.as_slice());
        let (said, cost) = (words.as_deref().unwrap_or_default(), self.held.cost.total());
        let is_current = self
            .repeat(|mut link: Link| async move {
                let Link { scripts, connection } = &mut link;
                scripts.checkpoint(connection, id, token, said, cost, digests).await
            })
            .await;
        {
            let mut written = self.written();
            // The first writer wins, so a batch that was written twice is no harm.
            written.unconfirmed.retain(|entry| !batch.contains(entry));
            if written.words == words {
                written.words = None;
            }
        }
        self.still_current(is_current)
    }

    /// The attempt begins: from here on this worker's death counts against the job.
    pub(crate) async fn begin(&self) -> Result<(), Interrupted> {
        let (id, token) = (self.id(), self.token());
        let begun = self
            .repeat(|mut link: Link| async move {
                link.scripts.begin(&mut link.connection, id, token).await
            })
            .await;
        self.still_current(begun)
    }

    /// Shows stage, percent and the stages' record (JSON, empty = unchanged) to those who watch.
    /// One try: it is worth no waiting.
    pub async fn progress(&self, stage: &str, percent: u8, stages: &str) {
        let mut link = self.link.clone();
        let (id, token) = (self.id(), self.token());
        let sent =
            link.scripts.progress(&mut link.connection, id, token, stage, percent, stages).await;
        if let Err(error) = sent {
            tracing::debug!(job.id = id, %error, "progress was not written");
        }
    }

    /// Into the flight `key`: who pays for it?
    pub async fn join(&self, key: &str) -> Result<JoinAnswer, Interrupted> {
        let (id, token) = (self.id(), self.token());
        let words = self
            .repeat(|mut link: Link| async move {
                link.scripts.join(&mut link.connection, id, token, key).await
            })
            .await;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["owned"] => Ok(JoinAnswer::Owned),
            ["waiting", owner] => Ok(JoinAnswer::Waiting { owner: (*owner).to_owned() }),
            ["landed", how] => Ok(how
                .strip_prefix("permanent ")
                .map_or(JoinAnswer::Unshared, |error| JoinAnswer::Permanent(error.to_owned()))),
            _ => {
                self.held.interrupt(Interrupted::LeaseLost);
                Err(Interrupted::LeaseLost)
            }
        }
    }

    /// Out of the flight `key`, with its answer for the waiters.
    pub async fn land(&self, key: &str, landing: &FlightResult) -> Result<(), Interrupted> {
        let how = match landing {
            FlightResult::Stored => "stored".to_owned(),
            FlightResult::Unshared => "unshared".to_owned(),
            FlightResult::Permanent(error) => format!("permanent {error}"),
        };
        let (id, token, how) = (self.id(), self.token(), how.as_str());
        // A flight that is no longer ours needs no landing, so the answer does not matter.
        self.repeat(|mut link: Link| async move {
            link.scripts.land(&mut link.connection, id, token, key, how).await
        })
        .await;
        self.held.interruption().map_or(Ok(()), Err)
    }

    fn still_current(&self, current: bool) -> Result<(), Interrupted> {
        if !current {
            self.held.interrupt(Interrupted::LeaseLost);
        }
        self.held.interruption().map_or(Ok(()), Err)
    }

    /// Repeats an idempotent call until Redis answers. The caller is dropped when the lease ends.
    pub(crate) async fn repeat<T, E: fmt::Display, Call>(&self, call: impl Fn(Link) -> Call) -> T
    where
        Call: Future<Output = Result<T, E>>,
    {
        let mut pause = MIN_PAUSE;
        loop {
            match call(self.link.clone()).await {
                Ok(answer) => return answer,
                Err(error) => {
                    tracing::warn!(job.id = self.id(), %error, "write to Redis failed, retrying");
                }
            }
            tokio::time::sleep(pause.mul_f64(fastrand::f64().midpoint(1.0))).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}
