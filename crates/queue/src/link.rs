//! The way to Redis: the queue's scripts, a connection on which to call them, and how it fares.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::RedisError;
use stillcast_enqueue::connection::SharedConnection;

use crate::clock::Moment;
use crate::outage::Outage;
use crate::scripts::Scripts;
use crate::scripts::lease_calls::LeaseCalls;

/// Scripts and a connection. Cheap to clone; all clones share the connection.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) scripts: Scripts,
    pub(crate) connection: SharedConnection,
    pub(crate) vitals: Arc<LinkVitals>,
}

/// How the main connection fares.
pub(crate) struct LinkVitals {
    answered: AtomicU64,
    outage: Outage,
}

impl Link {
    /// The calls under the lease of the job `id`.
    pub(crate) fn lease<'call>(
        &'call self,
        id: &'call str,
        token: &'call str,
    ) -> LeaseCalls<'call> {
        self.scripts.lease(self.connection.clone(), id, token)
    }
}

impl LinkVitals {
    pub(crate) fn new() -> Self {
        Self { answered: AtomicU64::new(Moment::now().as_nanos()), outage: Outage::new("main") }
    }

    /// What became of a call.
    pub(crate) fn hear(&self, answer: Result<(), &RedisError>) {
        match answer {
            Ok(()) => {
                self.answered.store(Moment::now().as_nanos(), Ordering::Release);
                self.outage.answered();
            }
            Err(error) => self.outage.failed(error),
        }
    }

    /// Time since Redis last answered here.
    pub(crate) fn silence(&self, now: Moment) -> Duration {
        now.saturating_since(Moment::from_nanos(self.answered.load(Ordering::Acquire)))
    }
}
