//! Whether a consumer lives and is ready, as its own loops see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Moment;

/// What probes may ask. Cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Vitals>);

struct Vitals {
    turned: AtomicU64,
    answered: AtomicU64,
    draining: AtomicBool,
}

impl Health {
    pub(crate) fn new() -> Self {
        let never = AtomicU64::new(0);
        let now = AtomicU64::new(Moment::now().as_nanos());
        Self(Arc::new(Vitals { turned: now, answered: never, draining: AtomicBool::new(false) }))
    }

    /// The loop turned.
    pub(crate) fn turn(&self) {
        self.0.turned.store(Moment::now().as_nanos(), Ordering::Release);
    }

    /// Redis answered.
    pub(crate) fn answer(&self) {
        self.0.answered.store(Moment::now().as_nanos(), Ordering::Release);
    }

    fn age(of: &AtomicU64) -> Duration {
        Moment::now().saturating_since(Moment::from_nanos(of.load(Ordering::Acquire)))
    }

    /// The drain has begun.
    pub(crate) fn start_drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    /// Liveness: whether the consumer has claimed, polled or stood with all slots full within `limit`.
    pub fn is_turning(&self, limit: Duration) -> bool {
        Self::age(&self.0.turned) < limit
    }

    /// Readiness: whether Redis has answered within `limit` and no drain has begun.
    pub fn is_ready(&self, limit: Duration) -> bool {
        !self.is_draining() && Self::age(&self.0.answered) < limit
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }
}
