//! When to claim: a slot is free, no breaker holds claims back, and there may be a job.

use std::sync::Arc;
use std::time::Duration;

use stillcast_enqueue::connection::SharedConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::shared::Shared;
use super::wake::Wake;

/// Longest wait for the wake marker: whatever was missed is seen within it. A ready job and a free slot
/// meet within three seconds.
const MAX_WAIT: Duration = Duration::from_millis(2900);

/// The slots of a worker, and what it knows of the jobs that wait.
pub(crate) struct Vacancy {
    shared: Shared,
    connection: SharedConnection,
    slots: Arc<Semaphore>,
    wake: Wake,
    /// After a claim that has found nothing: how long to wait for the marker.
    idle: Option<Duration>,
}

impl Vacancy {
    pub(crate) fn new(shared: &Shared) -> Self {
        let patience = (shared.options.lease_ttl / 3).min(MAX_WAIT);
        Self {
            slots: Arc::new(Semaphore::new(shared.options.slots)),
            wake: Wake::new(shared.options.endpoint.clone(), MAX_WAIT, patience),
            idle: None,
            connection: shared.link.connection.clone(),
            shared: shared.clone(),
        }
    }

    /// A slot for which a claim is worth making. May be dropped: what was waited for is not lost.
    pub(crate) async fn slot(&mut self) -> OwnedSemaphorePermit {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        self.shared.breaker.may_claim().await;
        self.woken().await;
        slot.expect("nobody closes the slots")
    }

    /// All that are free beside `slots`, until these are `most`.
    pub(crate) fn add_free(&self, slots: &mut Vec<OwnedSemaphorePermit>, most: usize) {
        while slots.len() < most
            && let Ok(another) = Arc::clone(&self.slots).try_acquire_owned()
        {
            slots.push(another);
        }
    }

    /// Whether a claim has found nothing, and nobody has called since.
    pub(crate) fn is_idle(&self) -> bool {
        self.idle.is_some()
    }

    /// A claim has found nothing; look again after so long, if something is due then.
    pub(crate) fn found_nothing(&mut self, next_due: Option<Duration>) {
        self.idle = Some(next_due.map_or(MAX_WAIT, |due| due.min(MAX_WAIT)));
    }

    /// The next claim need not wait.
    pub(crate) fn look_again(&mut self) {
        self.idle = None;
    }

    /// Until the marker comes, something that waits is due, or there is anything at all that a claim
    /// would find.
    async fn woken(&mut self) {
        while let Some(limit) = self.idle {
            self.idle = Some(MAX_WAIT);
            if self.wake.wait(limit).await || !self.is_deserted().await {
                self.idle = None;
            }
        }
    }

    /// Whether a claim could find nothing, by one command. Whoever ends with the queue claims all the
    /// same, and a Redis that does not answer is the claim's to find out.
    async fn is_deserted(&mut self) -> bool {
        let Shared { link, options, .. } = &self.shared;
        if options.until_empty {
            return false;
        }
        let asked = link.scripts.claimable(&mut self.connection).await;
        asked.is_ok_and(|claimable| !claimable)
    }
}
