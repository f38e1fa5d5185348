//! Every lease that this process holds: what the renewal thread, the attempts and the drain share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stillcast_enqueue::Cost;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::Interrupted;
use crate::clock::Moment;

/// One lease as the clock sees it.
pub(crate) struct LeaseState {
    pub(crate) id: String,
    pub(crate) token: String,
    /// Past this moment no paid call may begin: Redis may soon lend the job to another worker.
    valid_until: AtomicU64,
    /// Past this moment the thread no longer renews: the attempt has had its time.
    renew_until: AtomicU64,
    /// Past this moment the job is worthless.
    deadline: Moment,
    why: Mutex<Option<Interrupted>>,
    pub(crate) cost: LeaseCost,
    /// Cancelled when work in flight must stop.
    pub(crate) stop: CancellationToken,
}

impl LeaseState {
    pub(crate) fn new(
        id: String,
        token: String,
        valid_until: Moment,
        deadline: Moment,
        renew_until: Moment,
    ) -> Self {
        Self {
            id,
            token,
            valid_until: AtomicU64::new(valid_until.as_nanos()),
            renew_until: AtomicU64::new(renew_until.as_nanos()),
            deadline,
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

    /// The lease stands until `moment`, and it was sent for before that was known.
    pub(crate) fn prolong(&self, moment: Moment) {
        self.valid_until.fetch_max(moment.as_nanos(), Ordering::AcqRel);
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

    fn may_renew(&self, now: Moment) -> bool {
        now < Moment::from_nanos(self.renew_until.load(Ordering::Acquire))
    }
}

/// The money of one job.
#[derive(Default)]
pub(crate) struct LeaseCost(Mutex<CostState>);

#[derive(Default)]
struct CostState {
    earlier: Cost,
    now: Option<Cost>,
}

impl LeaseCost {
    fn state(&self) -> MutexGuard<'_, CostState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What earlier attempts have cost.
    pub(crate) fn open(&self, earlier: Cost) {
        self.state().earlier = earlier;
    }

    pub(crate) fn earlier(&self) -> Cost {
        self.state().earlier
    }

    /// What the attempt has cost until now, in all.
    pub(crate) fn record(&self, now: Cost) {
        self.state().now = Some(now);
    }

    /// What all attempts have cost; none when nothing was booked under this lease.
    pub(crate) fn total(&self) -> Option<Cost> {
        let state = self.state();
        state.now.map(|now| state.earlier + now)
    }

    /// The attempt begins anew under the same lease.
    pub(crate) fn carry_over(&self) {
        let mut state = self.state();
        let now = state.now.take().unwrap_or_default();
        state.earlier = state.earlier + now;
    }
}

/// The table of leases, and the pulse of the runtime that works under them.
pub(crate) struct LeaseTable {
    held: Mutex<HashMap<String, Arc<LeaseState>>>,
    draining: AtomicBool,
    pulse: AtomicU64,
    /// Rings when a lease has ended.
    pub(crate) freed: Notify,
}

impl LeaseTable {
    pub(crate) fn new() -> Self {
        Self {
            held: Mutex::default(),
            draining: AtomicBool::new(false),
            pulse: AtomicU64::new(Moment::now().as_nanos()),
            freed: Notify::new(),
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Arc<LeaseState>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, held: Arc<LeaseState>) {
        self.table().insert(held.id.clone(), held);
    }

    /// The lease has ended; a newer one of the same job stays.
    pub(crate) fn remove(&self, held: &LeaseState) {
        let mut table = self.table();
        if table.get(&held.id).is_some_and(|known| known.token == held.token) {
            table.remove(&held.id);
        }
        drop(table);
        self.freed.notify_one();
    }

    pub(crate) fn len(&self) -> usize {
        self.table().len()
    }

    pub(crate) fn all(&self) -> Vec<Arc<LeaseState>> {
        self.table().values().cloned().collect()
    }

    /// Those that are to be renewed now.
    pub(crate) fn renewable(&self, now: Moment) -> Vec<Arc<LeaseState>> {
        self.table().values().filter(|held| held.may_renew(now)).cloned().collect()
    }

    pub(crate) fn interrupt(&self, id: &str, why: Interrupted) {
        if let Some(held) = self.table().get(id) {
            held.interrupt(why);
        }
    }

    pub(crate) fn interrupt_all(&self, why: Interrupted) {
        for held in self.all() {
            held.interrupt(why);
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
