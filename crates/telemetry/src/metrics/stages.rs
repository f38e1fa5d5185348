//! Stages as attempts leave them, what they cost, and the cache that spares them.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

use super::histograms::Histograms;
use super::word::Word;
use crate::clock;

/// Seconds; a stage takes from a cache's answer to several tries of two minutes.
const BUCKETS: [f64; 14] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0];

/// Seconds; what a worker adds to the store's own put is milliseconds.
const CHECKPOINTS: [f64; 14] =
    [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

/// How a stage left an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue, Serialize, Deserialize)]
#[expect(non_camel_case_types, reason = "the variant is the label's word")]
pub enum StageOutcome {
    /// It gave what it should.
    ok,
    /// A cache gave it.
    cached,
    /// It ended the attempt.
    failed,
    /// The attempt ended before it did.
    cut,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Stage {
    stage: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageEnd {
    stage: Word,
    outcome: StageOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheRequest {
    result: Word,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Booking {
    stage: Word,
    kind: Word,
}

/// Leads from a number to the trace of one job that is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Exemplar {
    trace_id: String,
}

type Traced = HistogramWithExemplars<Exemplar>;

#[derive(Debug)]
pub(super) struct Stages {
    durations: Family<StageEnd, Traced, fn() -> Traced>,
    waits: Histograms<Stage>,
    runs: Histograms<Stage>,
    tries: Family<Stage, Counter>,
    checkpoints: Histograms<Stage>,
    cache_requests: Family<CacheRequest, Counter>,
    money: Family<Booking, Counter<f64, AtomicU64>>,
}

impl Stages {
    pub(super) fn new(to: &mut Registry) -> Self {
        let stages = Self {
            durations: Family::new_with_constructor(|| Traced::new(BUCKETS.into_iter())),
            waits: Family::new_with_constructor(histogram),
            runs: Family::new_with_constructor(histogram),
            tries: Family::default(),
            checkpoints: Family::new_with_constructor(|| Histogram::new(CHECKPOINTS)),
            cache_requests: Family::default(),
            money: Family::default(),
        };
        let help = "Wait and run of a stage in one attempt";
        to.register("stage_duration_seconds", help, stages.durations.clone());
        to.register("stage_wait_seconds", "Time before a slot", stages.waits.clone());
        to.register("stage_run_seconds", "Time inside a slot", stages.runs.clone());
        to.register("stage_tries", "Tries of a stage", stages.tries.clone());
        let help = "From a provider's last byte to the accepted checkpoint of what it gave";
        to.register("checkpoint_seconds", help, stages.checkpoints.clone());
        let help = "Requests to the shared cache, by what became of them";
        to.register("cache_requests", help, stages.cache_requests.clone());
        let help = "US dollars `spent`, `wasted` on what was lost, and `avoided` by a cache";
        to.register("cost_usd", help, stages.money.clone());
        stages
    }
}

impl Stages {
    /// A stage left an attempt of this trace, where one is exported, after `wait` and `run` seconds.
    pub(super) fn stage_ended(
        &self,
        (stage, outcome): (Word, StageOutcome),
        (wait, run): (f64, f64),
        tries: u32,
        trace_id: Option<String>,
    ) {
        let exemplar = trace_id.map(|trace_id| Exemplar { trace_id });
        let at = exemplar.is_some().then(clock::now);
        let durations = self.durations.get_or_create(&StageEnd { stage: stage.clone(), outcome });
        durations.observe(wait + run, exemplar, at);
        let stage = Stage { stage };
        self.waits.get_or_create(&stage).observe(wait);
        self.runs.get_or_create(&stage).observe(run);
        self.tries.get_or_create(&stage).inc_by(tries.into());
    }

    /// What a call gave has reached its checkpoint so long after the provider's last byte.
    pub(super) fn checkpoint_kept(&self, stage: Word, after: Duration) {
        self.checkpoints.get_or_create(&Stage { stage }).observe(after.as_secs_f64());
    }

    /// The shared cache was asked: `hit`, `miss`, `stored`, `present`, `full` or `failed`.
    pub(super) fn cache_asked(&self, result: Word) {
        self.cache_requests.get_or_create(&CacheRequest { result }).inc();
    }

    /// So many US dollars were `spent`, `wasted` or `avoided` in a stage.
    pub(super) fn money_booked(&self, stage: Word, kind: Word, usd: f64) {
        self.money.get_or_create(&Booking { stage, kind }).inc_by(usd);
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}
