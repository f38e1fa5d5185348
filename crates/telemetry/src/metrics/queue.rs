//! What the queue meets in this worker: leases lost and ended, and reports refused.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Default)]
pub(super) struct Queue {
    lease_lost: Counter,
    self_fenced: Counter,
    recovered: Counter,
    crashes: Counter,
    interrupts: Counter,
    poison: Counter,
    stale_writes: Counter,
    breaker: Gauge,
}

impl Queue {
    pub(super) fn new(to: &mut Registry) -> Self {
        let queue = Self::default();
        to.register("lease_lost", "Attempts whose lease was lost", queue.lease_lost.clone());
        let help = "Leases that the clock ended before Redis could lend them again";
        to.register("self_fences", help, queue.self_fenced.clone());
        to.register("recovered", "Leases of others ended by this reaper", queue.recovered.clone());
        to.register("crashes", "Of those, leases of dead workers", queue.crashes.clone());
        to.register("interrupts", "Attempts given back unfinished", queue.interrupts.clone());
        to.register("poison", "Requests that could not be read", queue.poison.clone());
        let help = "Reports refused, since another token holds the job";
        to.register("stale_writes_rejected", help, queue.stale_writes.clone());
        let help = "1 while a provider's refusal holds this worker to one probe an interval";
        to.register("breaker_open", help, queue.breaker.clone());
        queue
    }
}

impl Queue {
    /// An attempt lost its lease.
    pub(super) fn lease_lost(&self) {
        self.lease_lost.inc();
    }

    /// The clock ended a lease.
    pub(super) fn self_fenced(&self) {
        self.self_fenced.inc();
    }

    /// The reaper ended `leases`, `crashes` of them those of dead workers.
    pub(super) fn reaped(&self, leases: u64, crashes: u64) {
        self.recovered.inc_by(leases);
        self.crashes.inc_by(crashes);
    }

    /// An attempt was given back unfinished.
    pub(super) fn interrupted(&self) {
        self.interrupts.inc();
    }

    /// A request could not be read.
    pub(super) fn poison(&self) {
        self.poison.inc();
    }

    /// A report was refused.
    pub(super) fn stale_write_rejected(&self) {
        self.stale_writes.inc();
    }

    /// A provider's refusal holds this worker back, or no longer.
    pub(super) fn breaker(&self, is_open: bool) {
        self.breaker.set(is_open.into());
    }
}
