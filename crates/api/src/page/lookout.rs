//! One task looks at the queue all the time, however many pages are open; what it has seen comes out:
//! the numbers of the last hour, whether the queue keeps its promises, and what has ended lately.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use queue::{Inspector, MAX_PAGE, QueueError, QueueStats, Verified};
use stillcast_enqueue::{JobRecord, State};
use tokio::time::{Instant, sleep};

/// How often the numbers are taken.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Numbers that are kept: an hour of them.
const SAMPLES: usize = 720;
/// Shortest pause between two proofs. One takes time in proportion to the queue, so that the pause is
/// also [`REST`] times as long as the last one took.
const PROVE_EVERY: Duration = Duration::from_secs(5);
const REST: u32 = 20;
/// How long records of ended jobs are taken for what they were.
const FRESH: Duration = Duration::from_secs(3);

/// What has been seen. Cheap to clone; all clones see the same.
#[derive(Clone)]
pub(crate) struct Lookout(Arc<Shared>);

struct Shared {
    inspector: Inspector,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    samples: VecDeque<QueueStats>,
    proof: Proof,
    ended: Option<(Instant, Arc<Vec<JobRecord>>)>,
}

/// Whether the queue keeps its promises, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) enum Proof {
    /// Nobody has looked yet.
    #[default]
    None,
    /// The last look has found this.
    Looked { at: DateTime<Utc>, found: Arc<Verified> },
    /// The last look failed.
    Failed { at: DateTime<Utc> },
}

impl Lookout {
    pub(crate) fn new(inspector: Inspector) -> Self {
        Self(Arc::new(Shared { inspector, seen: Mutex::default() }))
    }

    /// Looks until it is dropped.
    pub(crate) async fn run(self) {
        tokio::join!(self.sample(), self.prove());
    }

    async fn sample(&self) {
        loop {
            // An outage leaves a hole in the line, and the pages say that Redis is away.
            if let Ok(stats) = self.0.inspector.stats().await {
                let samples = &mut self.seen().samples;
                if samples.len() == SAMPLES {
                    samples.pop_front();
                }
                samples.push_back(stats);
            }
            sleep(SAMPLE_EVERY).await;
        }
    }

    async fn prove(&self) {
        loop {
            let began = Instant::now();
            let found = self.0.inspector.verify().await;
            let at = Utc::now();
            self.seen().proof = match found {
                Ok(found) => Proof::Looked { at, found: Arc::new(found) },
                Err(error) => {
                    tracing::warn!("whether the queue keeps its promises is not known: {error}");
                    Proof::Failed { at }
                }
            };
            sleep(PROVE_EVERY.max(began.elapsed() * REST)).await;
        }
    }

    pub(crate) fn proof(&self) -> Proof {
        self.seen().proof.clone()
    }

    /// The numbers of the last hour, the oldest first.
    pub(crate) fn samples(&self) -> Vec<QueueStats> {
        self.seen().samples.iter().cloned().collect()
    }

    /// At most 500 delivered and 500 dead jobs, each from the newest.
    pub(crate) async fn ended(&self) -> Result<Arc<Vec<JobRecord>>, QueueError> {
        let known = self.seen().ended.clone().filter(|(at, _)| at.elapsed() < FRESH);
        if let Some((_, records)) = known {
            return Ok(records);
        }
        let list = |state| self.0.inspector.list(Some(state), MAX_PAGE, None);
        let (done, dead) = tokio::try_join!(list(State::Done), list(State::Dead))?;
        let records: Arc<Vec<_>> = Arc::new(done.jobs.into_iter().chain(dead.jobs).collect());
        self.seen().ended = Some((Instant::now(), Arc::clone(&records)));
        Ok(records)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
