//! A lease goes in; its report comes out, and no job takes another one along: a suspect runs in a
//! process of its own, everything else in this one.
//!
//! That process is this binary (`--suspect`, hidden), with this one's environment. It works with slots of
//! its own, an even share of this worker's; leases, breaker and metrics are here, and what it counts and
//! books it tells line by line ([`Note`]). Its spans and logs leave by themselves, under this worker's
//! name.

mod process;

use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use isolation::{Bounds, Isolation, share_of_memory};
use queue::{Handler, Lease, NewLease, Outcome, Report};
use stillcast_enqueue::Cost;

use crate::job_handler::{JobHandler, Unfinished};
use crate::notes::{Note, Setup};

pub(crate) use process::work;

/// Memory that a suspect may write at most: far more than any job has needed.
const MEMORY: u64 = 2 << 30;

/// Attempts of this worker, wherever they run.
pub(crate) struct Suspects {
    handler: JobHandler,
    isolation: Isolation,
    worker: String,
}

impl Suspects {
    /// Attempts run by `handler`, or for the `worker` of this name in a process that `arguments` start:
    /// within the time of one attempt, and never standing still for a lease.
    pub(crate) fn new(
        handler: JobHandler,
        worker: String,
        arguments: Vec<OsString>,
        (attempt_budget, lease_ttl): (Duration, Duration),
    ) -> Self {
        let bounds =
            Bounds { memory: share_of_memory(MEMORY), cpu: attempt_budget, silence: lease_ttl };
        Self { handler, isolation: Isolation::new(arguments, bounds), worker }
    }

    /// Waits for the last words of processes that have reported.
    pub(crate) async fn settle(&self) {
        self.isolation.settle().await;
    }
}

#[async_trait]
impl Handler for Suspects {
    async fn attempt(&self, lease: NewLease) -> Report {
        let lease = lease.begin().await;
        if lease.is_suspect() {
            self.apart(&lease).await
        } else {
            self.handler.attempt(lease).await
        }
    }
}

impl Suspects {
    async fn apart(&self, lease: &Lease) -> Report {
        let metrics = &self.handler.watched.metrics;
        let folder = match self.handler.folders.folder() {
            Ok(folder) => folder,
            Err(error) => return self.handler.unusable(&error.into()),
        };
        let (worker, path) = (self.worker.clone(), folder.path().to_owned());
        let Ok(setup) = serde_json::to_value(Setup { worker, folder: path }) else {
            return self.handler.unusable(&anyhow::anyhow!("the folder's name is no text"));
        };
        let unfinished = Unfinished::new(metrics);
        let books = Books { lease, cut: Mutex::default() };
        let hear = |told| self.hear(&books, told);
        let report = self.isolation.attempt(lease, setup, &hear).await;
        unfinished.told();
        match &report.outcome {
            Outcome::Crashed { .. } => metrics.attempt_ended("none", "crash"),
            _ => books.closed(),
        }
        report
    }

    fn hear(&self, books: &Books<'_>, told: serde_json::Value) {
        let watched = &self.handler.watched;
        match Note::read(told) {
            Some(Note::Counted(counted)) => watched.metrics.count(counted),
            Some(Note::Tally(counts)) => watched.tally.give_back(&counts),
            Some(Note::Cost(cost)) => books.lease.record_cost(cost),
            Some(Note::Cut(cost)) => *books.cut() = Some(cost),
            None => {
                tracing::warn!("the process of a suspect said something that nobody understands");
            }
        }
    }
}

/// What a suspect has cost, however it ends: calls that its death has cut off are charged for.
struct Books<'lease> {
    lease: &'lease Lease,
    cut: Mutex<Option<Cost>>,
}

impl Books<'_> {
    fn cut(&self) -> MutexGuard<'_, Option<Cost>> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its process has booked everything itself.
    fn closed(&self) {
        *self.cut() = None;
    }
}

impl Drop for Books<'_> {
    fn drop(&mut self) {
        let cut = self.cut().take();
        if let Some(cost) = cut {
            self.lease.record_cost(cost);
        }
    }
}
