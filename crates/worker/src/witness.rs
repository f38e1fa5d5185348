//! What the queue tells goes in; metrics, and when Redis last answered, come out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use queue::{Event, Observer, Reaped};
use stillcast_enqueue::State;
use telemetry::Metrics;

/// Counts, and remembers.
pub(crate) struct Witness {
    metrics: Arc<Metrics>,
    began: Instant,
    /// Milliseconds from `began` to Redis' last answer.
    answered: AtomicU64,
}

impl Witness {
    pub(crate) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, began: Instant::now(), answered: AtomicU64::new(0) }
    }

    /// Time since Redis last answered. The reaper asks it each sixth of a lease, also while all
    /// slots are full and nothing is claimed.
    pub(crate) fn silence(&self) -> Duration {
        let answered = Duration::from_millis(self.answered.load(Ordering::Acquire));
        self.began.elapsed().saturating_sub(answered)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn answer(&self) {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.answered.fetch_max(since, Ordering::AcqRel);
    }
}

impl Observer for Witness {
    fn observe(&self, event: &Event) {
        let metrics = &self.metrics;
        match event {
            Event::Claimed { waited } => metrics.claimed(*waited),
            Event::Reported { state, after } => {
                metrics.left();
                let state = State::parse(state).map_or("unknown", State::as_str);
                metrics.reported(state, *after);
            }
            Event::StaleReport => {
                metrics.left();
                metrics.stale_write_rejected();
            }
            Event::LeaseLost => metrics.lease_lost(),
            Event::SelfFenced => metrics.self_fenced(),
            Event::Panicked => metrics.attempt_ended("none", "panic"),
            Event::Poison => metrics.poison(),
            Event::Reaped(Reaped { leases, crashes, .. }) => metrics.reaped(*leases, *crashes),
        }
        // The clock ends leases, and code panics, without a word from Redis.
        if !matches!(event, Event::SelfFenced | Event::LeaseLost | Event::Panicked) {
            self.answer();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn witness() -> Witness {
        Witness::new(Arc::new(Metrics::new("0", 2)))
    }

    #[test]
    fn a_job_takes_a_slot_from_claim_to_report() {
        let witness = witness();
        witness.observe(&Event::Claimed { waited: Duration::ZERO });
        witness.observe(&Event::Claimed { waited: Duration::ZERO });
        witness.observe(&Event::StaleReport);
        let state = "done".to_owned();
        witness.observe(&Event::Reported { state, after: Duration::from_secs(1) });
        let page = witness.metrics().encode();
        assert!(page.contains("stillcast_slots{pool=\"jobs\",state=\"free\"} 2\n"), "{page}");
        assert!(page.contains("stillcast_stale_writes_rejected_total 1\n"), "{page}");
    }

    #[test]
    fn words_that_nobody_knows_make_no_new_label() {
        let witness = witness();
        let state = "job-7".to_owned();
        witness.observe(&Event::Reported { state, after: Duration::ZERO });
        assert!(witness.metrics().encode().contains("state=\"unknown\""));
    }
}
