//! What all roles of one consumer share: how to consume, the way to Redis, and what each of them
//! tells the others.

use std::sync::Arc;

use super::breaker::Breaker;
use super::health::Health;
use super::options::ConsumerOptions;
use crate::event::Event;
use crate::lease_table::LeaseTable;
use crate::link::Link;
use crate::scripts::worker_calls::Standing;

/// Cheap to clone; all clones share the same leases and the same connection.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) options: Arc<ConsumerOptions>,
    pub(crate) link: Link,
    /// Every lease of this process.
    pub(crate) leases: Arc<LeaseTable>,
    pub(crate) health: Health,
    pub(crate) breaker: Arc<Breaker>,
}

impl Shared {
    pub(crate) fn new(options: ConsumerOptions, link: Link) -> Self {
        Self {
            breaker: Arc::new(Breaker::new(options.limits.probe_interval)),
            options: Arc::new(options),
            link,
            leases: Arc::new(LeaseTable::new()),
            health: Health::new(),
        }
    }

    /// How this worker stands now.
    pub(crate) fn standing(&self) -> Standing<'_> {
        let ConsumerOptions { worker, lease_ttl, slots, .. } = &*self.options;
        Standing {
            worker,
            lease_ttl: *lease_ttl,
            slots: *slots,
            held: self.leases.len(),
            refused: self.breaker.standing(),
        }
    }

    /// Tells those who count.
    pub(crate) fn observe(&self, event: &Event) {
        self.options.observer.observe(event);
    }
}
