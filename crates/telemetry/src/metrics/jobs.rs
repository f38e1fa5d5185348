//! Jobs as this worker claims, runs and reports them.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::histograms::Histograms;
use super::word::Word;

/// Seconds; a job waits or runs from a moment to a quarter of an hour.
const BUCKETS: [f64; 14] =
    [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0, 300.0, 600.0, 900.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptEnd {
    stage: Word,
    error_type: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotState {
    pool: &'static str,
    state: &'static str,
}

#[derive(Debug)]
pub(super) struct Jobs {
    wait: Histogram,
    durations: Histograms<InState>,
    attempts: Family<AttemptEnd, Counter>,
    slots: Family<SlotState, Gauge>,
}

impl Jobs {
    pub(super) fn new(to: &mut Registry, slots: usize) -> Self {
        let jobs = Self {
            wait: histogram(),
            durations: Family::new_with_constructor(histogram),
            attempts: Family::default(),
            slots: Family::default(),
        };
        jobs.slot("free").set(i64::try_from(slots).unwrap_or(i64::MAX));
        jobs.slot("busy").set(0);
        to.register("wait_seconds", "From first ready to claimed", jobs.wait.clone());
        let help = "From claim to report of one attempt, by the state that it led to";
        to.register("job_duration_seconds", help, jobs.durations.clone());
        let help = "Ended attempts, by the stage and the class of their failure";
        to.register("attempts", help, jobs.attempts.clone());
        to.register("slots", "Slots of this worker", jobs.slots.clone());
        jobs
    }

    fn slot(&self, state: &'static str) -> Gauge {
        self.slots.get_or_create_owned(&SlotState { pool: "jobs", state })
    }
}

impl Jobs {
    /// A job was claimed after `wait` in `ready`.
    pub(super) fn claimed(&self, wait: Duration) {
        self.wait.observe(wait.as_secs_f64());
        self.slot("busy").inc();
        self.slot("free").dec();
    }

    /// A claimed job left this worker.
    pub(super) fn left(&self) {
        self.slot("busy").dec();
        self.slot("free").inc();
    }

    /// An attempt led to `state` after this time.
    pub(super) fn reported(&self, state: &'static str, after: Duration) {
        self.durations.get_or_create(&InState { state }).observe(after.as_secs_f64());
    }

    /// An attempt ended: `none`, or a class of failure, in `stage` or `none`.
    pub(super) fn attempt_ended(&self, stage: Word, error_type: Word) {
        self.attempts.get_or_create(&AttemptEnd { stage, error_type }).inc();
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}
