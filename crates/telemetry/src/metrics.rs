//! What a worker counts goes in, event by event; `OpenMetrics` text comes out.
//!
//! One file a group. Labels hold words of closed sets only: never a job, a tenant, a worker or an
//! address; a model is one that an operator has set. A trace is named by an exemplar alone. The depth
//! of the queue is not here: it belongs to the fleet, and one exporter.

mod calls;
mod counted;
mod gen_ai;
mod histograms;
mod jobs;
mod process;
mod queue;
mod spans;
mod stages;
#[cfg(test)]
mod tests;
mod word;

use std::iter;
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use counted::Counted;
pub use gen_ai::{GenAiCall, TokenUse};
pub(crate) use spans::SpanCounters;
pub use stages::StageOutcome;

use counted::{Relay, What};

/// The media type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The label of the queue.
pub(crate) const QUEUE: &str = "queue";

/// Everything that a worker counts. Share it by `Arc`.
#[derive(Debug)]
pub struct Metrics {
    /// Names of this house begin with `stillcast_`.
    own: Registry,
    /// Names that others have given: `gen_ai_` and `process_`.
    common: Registry,
    jobs: jobs::Jobs,
    stages: stages::Stages,
    queue: queue::Queue,
    calls: calls::Calls,
    gen_ai: gen_ai::GenAi,
    spans: SpanCounters,
    relay: Option<Relay>,
}

impl Metrics {
    /// All at zero; `slots` jobs of `queue` may run at once. The names of this house say the queue, since
    /// one Prometheus may watch several.
    pub fn new(version: &'static str, queue: &str, slots: usize) -> Self {
        let queue = iter::once((QUEUE.into(), queue.to_owned().into()));
        let mut own = Registry::with_prefix_and_labels("stillcast", queue);
        let mut common = Registry::default();
        own.register("build", "The worker's version", Info::new([("version", version)]));
        let jobs = jobs::Jobs::new(&mut own, slots);
        let stages = stages::Stages::new(&mut own);
        let queue = queue::Queue::new(&mut own);
        let calls = calls::Calls::new(&mut own);
        let spans = SpanCounters::new(&mut own);
        let gen_ai = gen_ai::GenAi::new(&mut common);
        process::register(&mut own, &mut common);
        Self { own, common, jobs, stages, queue, calls, gen_ai, spans, relay: None }
    }

    /// For a process that works for another one: what an attempt counts goes to `tell`, and nothing is
    /// counted here.
    pub fn relayed(
        version: &'static str,
        queue: &str,
        tell: impl Fn(Counted) + Send + Sync + 'static,
    ) -> Self {
        let relay = Relay::new(tell);
        let metrics = Self::new(version, queue, 1);
        let spans = metrics.spans.clone().relayed(relay.clone());
        Self { spans, relay: Some(relay), ..metrics }
    }

    /// Counts what another process has told.
    pub fn count(&self, Counted(what): Counted) {
        match what {
            What::AttemptEnded { stage, error_type } => self.jobs.attempt_ended(stage, error_type),
            What::StageEnded { stage, outcome, wait, run, tries, trace_id } => {
                self.stages.stage_ended((stage, outcome), (wait, run), tries, trace_id);
            }
            What::CheckpointKept { stage, after } => self.stages.checkpoint_kept(stage, after),
            What::CacheAsked { result } => self.stages.cache_asked(result),
            What::MoneyBooked { stage, kind, usd } => self.stages.money_booked(stage, kind, usd),
            What::Interrupted => self.queue.interrupted(),
            What::ProviderCalled { stage, provider, code, after } => {
                self.calls.provider_called((stage, provider), code, after);
            }
            What::ProviderAnswered { stage, provider, status } => {
                self.calls.provider_answered((stage, provider), status);
            }
            What::AccountAsked { stage, provider, result, wait } => {
                self.calls.account_asked((stage, provider), result, wait);
            }
            What::BudgetAsked { result } => self.calls.budget_asked(result),
            What::ModelCalled { call, after } => self.gen_ai.model_called(&call, after),
            What::TokensUsed { call, used } => self.gen_ai.tokens_used(&call, used),
            What::FirstChunk { call, after } => self.gen_ai.first_chunk(&call, after),
            What::NextChunk { call, after } => self.gen_ai.next_chunk(&call, after),
            What::Spans { result, spans } => self.spans.add(result, spans),
        }
    }

    /// Counts it here, or tells whoever answers scrapes.
    fn take(&self, what: What) {
        match &self.relay {
            Some(relay) => relay.tell(what),
            None => self.count(Counted(what)),
        }
    }

    /// The text of all metrics, in `OpenMetrics` 1.0. Reads of the process what the kernel knows, so
    /// that it may take some milliseconds.
    pub fn encode(&self) -> String {
        let mut page = String::new();
        let written = [&self.own, &self.common]
            .into_iter()
            .try_for_each(|registry| text::encode_registry(&mut page, registry))
            .and_then(|()| text::encode_eof(&mut page));
        written.expect("a String takes every write");
        page
    }

    /// What becomes of spans is counted here.
    #[cfg_attr(
        not(any(feature = "otlp", test)),
        expect(dead_code, reason = "this build makes no spans")
    )]
    pub(crate) fn spans(&self) -> SpanCounters {
        self.spans.clone()
    }

    /// A job was claimed after `wait` in `ready`.
    pub fn claimed(&self, wait: Duration) {
        self.jobs.claimed(wait);
    }

    /// A claimed job left this worker.
    pub fn left(&self) {
        self.jobs.left();
    }

    /// An attempt led to `state` after this time.
    pub fn reported(&self, state: &'static str, after: Duration) {
        self.jobs.reported(state, after);
    }

    /// An attempt ended: `none`, or a class of failure, in `stage` or `none`.
    pub fn attempt_ended(&self, stage: &'static str, error_type: &'static str) {
        self.take(What::AttemptEnded { stage: stage.into(), error_type: error_type.into() });
    }

    /// A stage left an attempt of this trace, where one is exported, after `wait` and `run` seconds.
    pub fn stage_ended(
        &self,
        stage: (&'static str, StageOutcome),
        times: (f64, f64),
        tries: u32,
        trace_id: Option<&str>,
    ) {
        let ((stage, outcome), (wait, run)) = (stage, times);
        let (stage, trace_id) = (stage.into(), trace_id.map(str::to_owned));
        self.take(What::StageEnded { stage, outcome, wait, run, tries, trace_id });
    }

    /// What a call of `stage` gave has reached its checkpoint so long after the provider's last byte.
    pub fn checkpoint_kept(&self, stage: &'static str, after: Duration) {
        self.take(What::CheckpointKept { stage: stage.into(), after });
    }

    /// The shared cache was asked: `hit`, `miss`, `stored`, `present`, `full` or `failed`.
    pub fn cache_asked(&self, result: &'static str) {
        self.take(What::CacheAsked { result: result.into() });
    }

    /// So many US dollars were `spent`, `wasted` or `avoided` in `stage`.
    pub fn money_booked(&self, stage: &'static str, kind: &'static str, usd: f64) {
        self.take(What::MoneyBooked { stage: stage.into(), kind: kind.into(), usd });
    }

    /// An attempt lost its lease.
    pub fn lease_lost(&self) {
        self.queue.lease_lost();
    }

    /// The clock ended a lease.
    pub fn self_fenced(&self) {
        self.queue.self_fenced();
    }

    /// The reaper ended `leases`, `crashes` of them those of dead workers.
    pub fn reaped(&self, leases: u64, crashes: u64) {
        self.queue.reaped(leases, crashes);
    }

    /// An attempt was given back unfinished.
    pub fn interrupted(&self) {
        self.take(What::Interrupted);
    }

    /// A request could not be read.
    pub fn poison(&self) {
        self.queue.poison();
    }

    /// A report was refused.
    pub fn stale_write_rejected(&self) {
        self.queue.stale_write_rejected();
    }

    /// A provider's refusal holds this worker back, or no longer.
    pub fn breaker(&self, is_open: bool) {
        self.queue.breaker(is_open);
    }

    /// A call of `stage` ended after this time: `ok`, `cut`, or the code of its failure.
    pub fn provider_called(
        &self,
        call: (&'static str, &'static str),
        code: &'static str,
        after: Duration,
    ) {
        let (stage, provider) = (call.0.into(), call.1.into());
        self.take(What::ProviderCalled { stage, provider, code: code.into(), after });
    }

    /// A provider's server answered with this status, or not at all.
    pub fn provider_answered(&self, call: (&'static str, &'static str), status: Option<u16>) {
        let (stage, provider) = (call.0.into(), call.1.into());
        self.take(What::ProviderAnswered { stage, provider, status });
    }

    /// The limits of a provider's account were asked about a call: `granted` after this wait; held back by
    /// `requests`, `tokens`, `in_flight`, or since the provider has `told` so; `unknown` where nobody
    /// answered, and it began all the same.
    pub fn account_asked(
        &self,
        call: (&'static str, &'static str),
        result: &'static str,
        wait: Option<Duration>,
    ) {
        let (stage, provider) = (call.0.into(), call.1.into());
        self.take(What::AccountAsked { stage, provider, result: result.into(), wait });
    }

    /// The budget of a tenant was asked about a call: its price was `taken`, the day's money is `spent`, or
    /// nobody answered (`unknown`).
    pub fn budget_asked(&self, result: &'static str) {
        self.take(What::BudgetAsked { result: result.into() });
    }

    /// The `model` of a stage is shut down at this time, in seconds since the epoch; `None` where nobody has said so.
    pub fn model_shuts_down(&self, stage: &'static str, model: &str, at: Option<i64>) {
        self.calls.model_shuts_down(stage.into(), model, at);
    }

    /// A call to a model ended after this time.
    pub fn model_called(&self, call: &GenAiCall, after: Duration) {
        self.take(What::ModelCalled { call: call.clone(), after });
    }

    /// A call to a model has used these tokens. Where nobody has counted any, their kind is
    /// `unknown` and their number 0.
    pub fn tokens_used(&self, call: &GenAiCall, used: TokenUse) {
        self.take(What::TokensUsed { call: call.clone(), used });
    }

    /// The first chunk of an answer came so long after its request.
    pub fn first_chunk(&self, call: &GenAiCall, after: Duration) {
        self.take(What::FirstChunk { call: call.clone(), after });
    }

    /// A chunk came so long after the one before.
    pub fn next_chunk(&self, call: &GenAiCall, after: Duration) {
        self.take(What::NextChunk { call: call.clone(), after });
    }
}
