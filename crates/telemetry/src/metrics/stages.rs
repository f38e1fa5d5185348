//! Stages as attempts leave them, what they cost, and the cache that spares them.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::histograms::Histograms;
use crate::clock;

/// Seconds; a stage takes from a cache's answer to several tries of two minutes.
const BUCKETS: [f64; 14] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0];

/// How a stage left an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
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
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageEnd {
    stage: &'static str,
    outcome: StageOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheRequest {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Booking {
    stage: &'static str,
    kind: &'static str,
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
            cache_requests: Family::default(),
            money: Family::default(),
        };
        let help = "Wait and run of a stage in one attempt";
        to.register("stage_duration_seconds", help, stages.durations.clone());
        to.register("stage_wait_seconds", "Time before a slot", stages.waits.clone());
        to.register("stage_run_seconds", "Time inside a slot", stages.runs.clone());
        to.register("stage_tries", "Tries of a stage", stages.tries.clone());
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
        (stage, outcome): (&'static str, StageOutcome),
        (wait, run): (f64, f64),
        tries: u32,
        trace_id: Option<&str>,
    ) {
        let exemplar = trace_id.map(|trace_id| Exemplar { trace_id: trace_id.to_owned() });
        let at = exemplar.is_some().then(clock::now);
        let durations = self.durations.get_or_create(&StageEnd { stage, outcome });
        durations.observe(wait + run, exemplar, at);
        self.waits.get_or_create(&Stage { stage }).observe(wait);
        self.runs.get_or_create(&Stage { stage }).observe(run);
        self.tries.get_or_create(&Stage { stage }).inc_by(tries.into());
    }

    /// The shared cache was asked: `hit`, `miss`, `stored`, `present`, `full` or `failed`.
    pub(super) fn cache_asked(&self, result: &'static str) {
        self.cache_requests.get_or_create(&CacheRequest { result }).inc();
    }

    /// So many US dollars were `spent`, `wasted` or `avoided` in a stage.
    pub(super) fn money_booked(&self, stage: &'static str, kind: &'static str, usd: f64) {
        self.money.get_or_create(&Booking { stage, kind }).inc_by(usd);
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}
