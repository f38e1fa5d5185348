//! What jobs remember, as the pipeline asks for it: own checkpoints, the cache that jobs share, and
//! flights, by which one job pays while others wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use stillcast_enqueue::{Cost, ErrorReport};

use crate::{Interrupted, ObjectStore};

/// What a job's finished calls gave, kept for its later attempts, and as long as its record.
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// The digest kept under `name`, by this attempt or an earlier one.
    fn recall(&self, name: &str) -> Option<String>;

    /// Keeps `digest` under `name`; the first one stays. Returns when that is durable.
    async fn remember(&self, name: &str, digest: &str) -> Result<(), Interrupted>;

    /// The same of what this job has not paid for: it becomes durable with the next digest, or with the
    /// report.
    fn remember_later(&self, name: &str, digest: &str);

    /// The words that were said until now: the whole transcript once its digest is kept.
    async fn partial_transcript(&self) -> Result<Option<String>, Interrupted>;

    /// Replaces the words said until now. They become durable with the next digest.
    fn save_partial_transcript(&self, words: &str);

    /// Books what this attempt has cost until now, in all. It becomes durable with the next digest,
    /// or with the report.
    fn record_cost(&self, cost: Cost);

    /// Books what this attempt has cost in all if it is cut off now, calls under way among it. Of use to
    /// whoever outlives the process of the attempt; a process that cuts itself off books that by itself.
    fn record_cut(&self, _cost: Cost) {}

    /// What earlier attempts have cost.
    fn earlier_cost(&self) -> Cost;
}

/// Values that the jobs of a fleet share for a time (`CACHE_TTL`). Being slow, full or away is a
/// miss and never a failure.
#[async_trait]
pub trait SharedCache: Send + Sync {
    /// The first value that is there of those under `keys`, and at which place its key stands.
    async fn get(&self, keys: &[&str]) -> Option<(usize, Bytes)>;

    /// Puts a small value under `key` unless there is one.
    async fn put_if_absent(&self, key: &str, value: Bytes) -> Put;

    /// Forgets the value under `key`.
    async fn delete(&self, key: &str);
}

/// What became of a value that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    Stored,
    /// Somebody was faster; this is theirs.
    Present(Bytes),
    /// The cache did not take it.
    Refused,
}

/// Single-flight over the whole fleet, by key. A flight is alive while the job that owns it is
/// leased; one that ends without having landed passes to a job that waits for it.
#[async_trait]
pub trait Flights: Send + Sync {
    /// Into the flight `key`: who pays?
    async fn join(&self, key: &str) -> Result<JoinAnswer, Interrupted>;

    /// Out of the flight `key`, with its end for all who wait.
    async fn land(&self, key: &str, landing: &FlightResult) -> Result<(), Interrupted>;
}

/// What joining a flight answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JoinAnswer {
    /// This job pays.
    Owned,
    /// Another job pays already.
    Waiting,
    /// The value could not be shared: each job pays for itself.
    Unshared,
    /// This input can never succeed.
    Permanent(ErrorReport),
}

/// How a flight ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlightResult {
    /// The value can be recalled.
    Stored,
    /// The value could not be stored.
    Unshared,
    /// This input can never succeed.
    Permanent(ErrorReport),
}

/// All that a job remembers by.
#[derive(Clone)]
pub struct Memory {
    /// Its own checkpoints; always on.
    pub checkpoints: Arc<dyn Checkpoints>,
    /// Keeps what is large: below `work/` of this job, below `cache/` of all.
    pub objects: Arc<dyn ObjectStore>,
    /// What it shares with other jobs; `None` with `USE_CACHING=false`.
    pub sharing: Option<Sharing>,
}

impl Memory {
    /// The memory of a run without a queue: it ends with the process, and shares nothing.
    pub fn of_process(objects: Arc<dyn ObjectStore>) -> Self {
        Self { checkpoints: Arc::new(InProcess::default()), objects, sharing: None }
    }

    /// The memory of a run that fills `cache` for all tenants: what it pays for is shared at once, and nobody
    /// waits for it.
    pub fn of_warming(objects: Arc<dyn ObjectStore>, cache: Arc<dyn SharedCache>) -> Self {
        let sharing = Some(Sharing { cache, flights: Arc::new(Alone) });
        Self { sharing, ..Self::of_process(objects) }
    }
}

/// Checkpoints in this process alone.
#[derive(Default)]
struct InProcess(Mutex<InProcessState>);

#[derive(Default)]
struct InProcessState {
    digests: HashMap<String, String>,
    words: Option<String>,
}

impl InProcess {
    fn kept(&self) -> MutexGuard<'_, InProcessState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Checkpoints for InProcess {
    fn recall(&self, name: &str) -> Option<String> {
        self.kept().digests.get(name).cloned()
    }

    async fn remember(&self, name: &str, digest: &str) -> Result<(), Interrupted> {
        self.remember_later(name, digest);
        Ok(())
    }

    fn remember_later(&self, name: &str, digest: &str) {
        self.kept().digests.entry(name.to_owned()).or_insert_with(|| digest.to_owned());
    }

    async fn partial_transcript(&self) -> Result<Option<String>, Interrupted> {
        Ok(self.kept().words.clone())
    }

    fn save_partial_transcript(&self, words: &str) {
        self.kept().words = Some(words.to_owned());
    }

    // The caller has the cost of the only attempt.
    fn record_cost(&self, _: Cost) {}

    fn earlier_cost(&self) -> Cost {
        Cost::default()
    }
}

/// Flights of whoever is alone.
struct Alone;

#[async_trait]
impl Flights for Alone {
    async fn join(&self, _: &str) -> Result<JoinAnswer, Interrupted> {
        Ok(JoinAnswer::Owned)
    }

    async fn land(&self, _: &str, _: &FlightResult) -> Result<(), Interrupted> {
        Ok(())
    }
}

/// What jobs share.
#[derive(Clone)]
pub struct Sharing {
    /// Their values.
    pub cache: Arc<dyn SharedCache>,
    /// Who pays for which.
    pub flights: Arc<dyn Flights>,
}
