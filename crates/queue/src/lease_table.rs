//! Every lease that this process holds: what the heartbeat, the attempts and the drain share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::Interrupted;
use crate::clock::Moment;
use crate::lease_state::LeaseState;

/// The table of leases, and the pulse of the runtime that works under them.
pub(crate) struct LeaseTable {
    by_job: Mutex<HashMap<String, Arc<LeaseState>>>,
    draining: AtomicBool,
    pulse: AtomicU64,
}

impl LeaseTable {
    pub(crate) fn new() -> Self {
        Self {
            by_job: Mutex::default(),
            draining: AtomicBool::new(false),
            pulse: AtomicU64::new(Moment::now().as_nanos()),
        }
    }

    fn by_job(&self) -> MutexGuard<'_, HashMap<String, Arc<LeaseState>>> {
        self.by_job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, lease: Arc<LeaseState>) {
        self.by_job().insert(lease.id.clone(), lease);
    }

    /// The lease has ended; a newer one of the same job stays.
    pub(crate) fn remove(&self, lease: &LeaseState) {
        let mut by_job = self.by_job();
        if by_job.get(&lease.id).is_some_and(|known| known.token == lease.token) {
            by_job.remove(&lease.id);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_job().len()
    }

    pub(crate) fn all(&self) -> Vec<Arc<LeaseState>> {
        self.by_job().values().cloned().collect()
    }

    /// Those that are to be renewed now.
    pub(crate) fn renewable(&self, now: Moment) -> Vec<Arc<LeaseState>> {
        self.by_job().values().filter(|lease| lease.may_renew(now)).cloned().collect()
    }

    pub(crate) fn interrupt(&self, id: &str, why: Interrupted) {
        if let Some(lease) = self.by_job().get(id) {
            lease.interrupt(why);
        }
    }

    pub(crate) fn interrupt_all(&self, why: Interrupted) {
        for lease in self.all() {
            lease.interrupt(why);
        }
    }

    /// From here on no paid call begins.
    pub(crate) fn start_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// The main runtime turns.
    pub(crate) fn beat(&self) {
        self.pulse.store(Moment::now().as_nanos(), Ordering::Release);
    }

    /// Time since the main runtime last turned.
    pub(crate) fn pulse_age(&self, now: Moment) -> Duration {
        now.saturating_since(Moment::from_nanos(self.pulse.load(Ordering::Acquire)))
    }
}
