//! What a worker counts goes in, event by event; `OpenMetrics` text comes out.
//!
//! Labels hold words of closed sets only: never a job, a tenant, a worker or an address. The depth
//! of the queue is not here: it belongs to the fleet, and one exporter.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// The media type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds; a stage takes from a cache's answer to several tries of two minutes.
const STAGE_BUCKETS: [f64; 14] =
    [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0];
/// Seconds; a job waits or runs from a moment to a quarter of an hour.
const JOB_BUCKETS: [f64; 14] =
    [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0, 300.0, 600.0, 900.0];

type Histograms<Labels> = Family<Labels, Histogram, fn() -> Histogram>;

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
struct AttemptEnd {
    stage: &'static str,
    error_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheRequest {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SlotState {
    pool: &'static str,
    state: &'static str,
}

/// Everything that a worker counts. Share it by `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    wait: Histogram,
    jobs: Histograms<InState>,
    attempts: Family<AttemptEnd, Counter>,
    stage_durations: Histograms<StageEnd>,
    stage_waits: Histograms<Stage>,
    stage_runs: Histograms<Stage>,
    stage_tries: Family<Stage, Counter>,
    cache_requests: Family<CacheRequest, Counter>,
    slots: Family<SlotState, Gauge>,
    lease_lost: Counter,
    self_fenced: Counter,
    recovered: Counter,
    crashes: Counter,
    interrupts: Counter,
    poison: Counter,
    stale_writes: Counter,
    breaker: Gauge,
}

impl Metrics {
    /// All at zero; `slots` jobs may run at once.
    pub fn new(version: &'static str, slots: usize) -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("stillcast"),
            wait: job_histogram(),
            jobs: Family::new_with_constructor(job_histogram),
            attempts: Family::default(),
            stage_durations: Family::new_with_constructor(stage_histogram),
            stage_waits: Family::new_with_constructor(stage_histogram),
            stage_runs: Family::new_with_constructor(stage_histogram),
            stage_tries: Family::default(),
            cache_requests: Family::default(),
            slots: Family::default(),
            lease_lost: Counter::default(),
            self_fenced: Counter::default(),
            recovered: Counter::default(),
            crashes: Counter::default(),
            interrupts: Counter::default(),
            poison: Counter::default(),
            stale_writes: Counter::default(),
            breaker: Gauge::default(),
        };
        metrics.slot("free").set(i64::try_from(slots).unwrap_or(i64::MAX));
        metrics.slot("busy").set(0);
        metrics.registered(version)
    }

    fn registered(mut self, version: &'static str) -> Self {
        let to = &mut self.registry;
        to.register("build", "The worker's version", Info::new([("version", version)]));
        to.register("wait_seconds", "From first ready to claimed", self.wait.clone());
        let help = "From claim to report of one attempt, by the state that it led to";
        to.register("job_duration_seconds", help, self.jobs.clone());
        let help = "Ended attempts, by the stage and the class of their failure";
        to.register("attempts", help, self.attempts.clone());
        let help = "Wait and run of a stage in one attempt";
        to.register("stage_duration_seconds", help, self.stage_durations.clone());
        to.register("stage_wait_seconds", "Time before a slot", self.stage_waits.clone());
        to.register("stage_run_seconds", "Time inside a slot", self.stage_runs.clone());
        to.register("stage_tries", "Tries of a stage", self.stage_tries.clone());
        let help = "Requests to the shared cache, by what became of them";
        to.register("cache_requests", help, self.cache_requests.clone());
        to.register("slots", "Slots of this worker", self.slots.clone());
        self.registered_counters()
    }

    fn registered_counters(mut self) -> Self {
        let to = &mut self.registry;
        to.register("lease_lost", "Attempts whose lease was lost", self.lease_lost.clone());
        let help = "Leases that the clock ended before Redis could lend them again";
        to.register("self_fences", help, self.self_fenced.clone());
        to.register("recovered", "Leases of others ended by this reaper", self.recovered.clone());
        to.register("crashes", "Of those, leases of dead workers", self.crashes.clone());
        to.register("interrupts", "Attempts given back unfinished", self.interrupts.clone());
        to.register("poison", "Requests that could not be read", self.poison.clone());
        let help = "Reports refused, since another token holds the job";
        to.register("stale_writes_rejected", help, self.stale_writes.clone());
        let help = "1 while a provider's refusal holds this worker to one probe an interval";
        to.register("breaker_open", help, self.breaker.clone());
        self
    }

    fn slot(&self, state: &'static str) -> Gauge {
        self.slots.get_or_create_owned(&SlotState { pool: "jobs", state })
    }

    /// A job was claimed after `wait` in `ready`.
    pub fn claimed(&self, wait: Duration) {
        self.wait.observe(wait.as_secs_f64());
        self.slot("busy").inc();
        self.slot("free").dec();
    }

    /// A claimed job left this worker.
    pub fn left(&self) {
        self.slot("busy").dec();
        self.slot("free").inc();
    }

    /// An attempt led to `state` after this time.
    pub fn reported(&self, state: &'static str, after: Duration) {
        self.jobs.get_or_create(&InState { state }).observe(after.as_secs_f64());
    }

    /// An attempt ended: `none`, or a class of failure, in `stage` or `none`.
    pub fn attempt_ended(&self, stage: &'static str, error_type: &'static str) {
        self.attempts.get_or_create(&AttemptEnd { stage, error_type }).inc();
    }

    /// A stage left an attempt.
    pub fn stage_ended(
        &self,
        stage: &'static str,
        outcome: StageOutcome,
        (wait, run): (f64, f64),
        tries: u32,
    ) {
        self.stage_durations.get_or_create(&StageEnd { stage, outcome }).observe(wait + run);
        self.stage_waits.get_or_create(&Stage { stage }).observe(wait);
        self.stage_runs.get_or_create(&Stage { stage }).observe(run);
        self.stage_tries.get_or_create(&Stage { stage }).inc_by(tries.into());
    }

    /// The shared cache was asked: `hit`, `miss`, `stored`, `present`, `full` or `failed`.
    pub fn cache_asked(&self, result: &'static str) {
        self.cache_requests.get_or_create(&CacheRequest { result }).inc();
    }

    /// An attempt lost its lease.
    pub fn lease_lost(&self) {
        self.lease_lost.inc();
    }

    /// The clock ended a lease.
    pub fn self_fenced(&self) {
        self.self_fenced.inc();
    }

    /// The reaper ended `leases`, `crashes` of them those of dead workers.
    pub fn reaped(&self, leases: u64, crashes: u64) {
        self.recovered.inc_by(leases);
        self.crashes.inc_by(crashes);
    }

    /// An attempt was given back unfinished.
    pub fn interrupted(&self) {
        self.interrupts.inc();
    }

    /// A request could not be read.
    pub fn poison(&self) {
        self.poison.inc();
    }

    /// A report was refused.
    pub fn stale_write_rejected(&self) {
        self.stale_writes.inc();
    }

    /// A provider's refusal holds this worker back, or no longer.
    pub fn breaker(&self, is_open: bool) {
        self.breaker.set(is_open.into());
    }

    /// The text of all metrics, in `OpenMetrics` 1.0.
    pub fn encode(&self) -> String {
        let mut page = String::new();
        text::encode(&mut page, &self.registry).expect("a String takes every write");
        page
    }
}

fn job_histogram() -> Histogram {
    Histogram::new(JOB_BUCKETS)
}

fn stage_histogram() -> Histogram {
    Histogram::new(STAGE_BUCKETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dashboards and alerts hang on these names.
    const NAMES: [&str; 18] = [
        "stillcast_build info",
        "stillcast_wait_seconds histogram",
        "stillcast_job_duration_seconds histogram",
        "stillcast_attempts counter",
        "stillcast_stage_duration_seconds histogram",
        "stillcast_stage_wait_seconds histogram",
        "stillcast_stage_run_seconds histogram",
        "stillcast_stage_tries counter",
        "stillcast_cache_requests counter",
        "stillcast_slots gauge",
        "stillcast_lease_lost counter",
        "stillcast_self_fences counter",
        "stillcast_recovered counter",
        "stillcast_crashes counter",
        "stillcast_interrupts counter",
        "stillcast_poison counter",
        "stillcast_stale_writes_rejected counter",
        "stillcast_breaker_open gauge",
    ];

    fn busy() -> Metrics {
        let metrics = Metrics::new("9.9.9", 4);
        metrics.claimed(Duration::from_millis(1500));
        metrics.reported("done", Duration::from_secs(20));
        metrics.attempt_ended("none", "none");
        metrics.stage_ended("tts", StageOutcome::ok, (0.5, 3.0), 2);
        metrics.cache_asked("hit");
        metrics
    }

    #[test]
    fn the_names_stay() {
        let page = busy().encode();
        let types: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        assert_eq!(types, NAMES);
        assert!(page.ends_with("# EOF\n"));
    }

    #[test]
    fn what_is_counted_is_what_is_shown() {
        let page = busy().encode();
        for line in [
            "stillcast_build_info{version=\"9.9.9\"} 1",
            "stillcast_wait_seconds_sum 1.5",
            "stillcast_job_duration_seconds_count{state=\"done\"} 1",
            "stillcast_stage_duration_seconds_sum{stage=\"tts\",outcome=\"ok\"} 3.5",
            "stillcast_stage_wait_seconds_sum{stage=\"tts\"} 0.5",
            "stillcast_stage_run_seconds_sum{stage=\"tts\"} 3.0",
            "stillcast_stage_tries_total{stage=\"tts\"} 2",
            "stillcast_slots{pool=\"jobs\",state=\"busy\"} 1",
            "stillcast_slots{pool=\"jobs\",state=\"free\"} 3",
            "stillcast_cache_requests_total{result=\"hit\"} 1",
            "stillcast_lease_lost_total 0",
        ] {
            assert!(page.lines().any(|found| found == line), "`{line}` is not in\n{page}");
        }
    }

    #[test]
    fn a_job_that_left_frees_its_slot() {
        let metrics = busy();
        metrics.left();
        assert!(metrics.encode().contains("stillcast_slots{pool=\"jobs\",state=\"free\"} 4\n"));
    }
}
