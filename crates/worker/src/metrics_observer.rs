//! What the queue tells of its work goes in; metrics come out.

use std::sync::Arc;

use queue::{Event, Observer, Reaped};
use stillcast_enqueue::State;
use telemetry::Metrics;

/// Counts what it sees.
pub(crate) struct MetricsObserver(pub(crate) Arc<Metrics>);

impl Observer for MetricsObserver {
    fn observe(&self, event: &Event) {
        let Self(metrics) = self;
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
            Event::Breaker { is_open } => metrics.breaker(*is_open),
            Event::Reaped(Reaped { leases, crashes, .. }) => metrics.reaped(*leases, *crashes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn observer() -> MetricsObserver {
        MetricsObserver(Arc::new(Metrics::new("0", "q", 2)))
    }

    #[test]
    fn a_job_takes_a_slot_from_claim_to_report() {
        let observer = observer();
        observer.observe(&Event::Claimed { waited: Duration::ZERO });
        observer.observe(&Event::Claimed { waited: Duration::ZERO });
        observer.observe(&Event::StaleReport);
        let state = "done".to_owned();
        observer.observe(&Event::Reported { state, after: Duration::from_secs(1) });
        let page = observer.0.encode();
        assert!(
            page.contains("stillcast_slots{queue=\"q\",pool=\"jobs\",state=\"free\"} 2\n"),
            "{page}"
        );
        assert!(page.contains("stillcast_stale_writes_rejected_total{queue=\"q\"} 1\n"), "{page}");
    }

    #[test]
    fn words_that_nobody_knows_make_no_new_label() {
        let observer = observer();
        let state = "job-7".to_owned();
        observer.observe(&Event::Reported { state, after: Duration::ZERO });
        assert!(observer.0.encode().contains("state=\"unknown\""));
    }
}
