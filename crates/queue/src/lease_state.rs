//! One lease as the clock sees it: until when it is valid, and what interrupted it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::Interrupted;
use crate::clock::Moment;
use crate::lease_cost::LeaseCost;

/// The moments that bound one lease.
pub(crate) struct Bounds {
    /// Past this moment no paid call may begin: Redis may soon lend the job to another worker.
    pub(crate) valid_until: Moment,
    /// Past this moment the heartbeat no longer renews: the attempt has had its time.
    pub(crate) renew_until: Moment,
    /// Past this moment the job is worthless.
    pub(crate) deadline: Moment,
}

/// What the attempt, the heartbeat and the drain know of one lease.
pub(crate) struct LeaseState {
    pub(crate) id: String,
    pub(crate) token: String,
    valid_until: AtomicU64,
    renew_until: AtomicU64,
    deadline: Moment,
    why: Mutex<Option<Interrupted>>,
    pub(crate) cost: LeaseCost,
    /// Cancelled when work in flight must stop.
    pub(crate) stop: CancellationToken,
}

/// Until when a lease is valid that was claimed or renewed by a call sent at `sent`: its holder
/// stops a sixth before its end, since Redis lends the job again at the end.
pub(crate) fn valid_until(sent: Moment, lease_ttl: Duration) -> Moment {
    sent + lease_ttl.mul_f64(5.0 / 6.0)
}

impl LeaseState {
    pub(crate) fn new(id: String, token: String, bounds: &Bounds) -> Self {
        Self {
            id,
            token,
            valid_until: AtomicU64::new(bounds.valid_until.as_nanos()),
            renew_until: AtomicU64::new(bounds.renew_until.as_nanos()),
            deadline: bounds.deadline,
            why: Mutex::new(None),
            cost: LeaseCost::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Stops work in flight. The first reason stands.
    pub(crate) fn interrupt(&self, why: Interrupted) {
        self.why().get_or_insert(why);
        self.stop.cancel();
    }

    pub(crate) fn interruption(&self) -> Option<Interrupted> {
        *self.why()
    }

    fn why(&self) -> MutexGuard<'_, Option<Interrupted>> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Interrupts a lease whose time is over; true when it is interrupted.
    pub(crate) fn fence(&self, now: Moment) -> bool {
        if now >= self.valid_until() {
            self.interrupt(Interrupted::LeaseLost);
        } else if now >= self.deadline {
            self.interrupt(Interrupted::DeadlinePassed);
        }
        self.interruption().is_some()
    }

    /// Redis has renewed the lease, by a call that was sent at `sent`.
    pub(crate) fn renewed(&self, sent: Moment, lease_ttl: Duration) {
        self.kept_until(valid_until(sent, lease_ttl));
    }

    /// Whoever renews the lease has done so: it is valid until then at least.
    pub(crate) fn kept_until(&self, until: Moment) {
        self.valid_until.fetch_max(until.as_nanos(), Ordering::AcqRel);
    }

    pub(crate) fn deadline(&self) -> Moment {
        self.deadline
    }

    pub(crate) fn valid_until(&self) -> Moment {
        Moment::from_nanos(self.valid_until.load(Ordering::Acquire))
    }

    /// When the clock will next end this lease.
    pub(crate) fn next_fence(&self) -> Moment {
        self.valid_until().min(self.deadline)
    }

    /// A report may take as long as Redis is away: renewal goes on beside it.
    pub(crate) fn renew_for_report(&self) {
        self.renew_until.store(u64::MAX, Ordering::Release);
    }

    pub(crate) fn may_renew(&self, now: Moment) -> bool {
        now < Moment::from_nanos(self.renew_until.load(Ordering::Acquire))
    }
}
