//! What one attempt does goes in as it happens; each step is a span that ends with it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    Link, Span, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
    TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

use crate::clock;
use crate::traces::facts::{CallEnd, CallFacts, StageFacts, TracedJob};

const SYSTEM: &str = "stillcast";

/// One attempt of a job; makes no spans where nobody takes them. Dropped unsettled, it was cut off.
#[derive(Debug)]
pub struct TracedAttempt(Option<Steps>);

#[derive(Debug)]
struct Steps {
    tracer: SdkTracer,
    queue: String,
    job: String,
    attempt: i64,
    began: Instant,
    /// The span of the claim, which all others are below.
    process: SpanContext,
    trace_id: String,
    is_settled: AtomicBool,
    stages: Mutex<BTreeMap<&'static str, Stage>>,
}

/// A stage that has begun.
#[derive(Clone, Debug)]
struct Stage {
    began: SystemTime,
    span: SpanContext,
}

/// A call under way; dropped unended, it was cut off.
#[derive(Debug)]
pub struct TracedCall(Option<opentelemetry_sdk::trace::Span>);

impl TracedAttempt {
    /// Makes the span of the claim. It is over at once: what follows it may never come to an end.
    pub(super) fn begin(tracer: Option<SdkTracer>, job: &TracedJob<'_>) -> Self {
        let Some(tracer) = tracer else { return Self(None) };
        let parent = job.traceparent.and_then(context_of).map_or_else(Context::new, below);
        let links = job.first_attempt.and_then(context_of).map(|first| {
            let kind = KeyValue::new("stillcast.link", "first attempt");
            Link::new(first, vec![kind], 0)
        });
        let mut attributes = messaging(job.queue, job.id, "process", "process").to_vec();
        attributes.extend([
            KeyValue::new("stillcast.attempt", i64::from(job.attempt)),
            KeyValue::new("stillcast.format", job.format.to_owned()),
            KeyValue::new("stillcast.tenant", job.tenant.to_owned()),
        ]);
        let began = Instant::now();
        let mut span = SpanBuilder::from_name(format!("process {}", job.queue))
            .with_kind(SpanKind::Consumer)
            .with_start_time(clock::now())
            .with_links(links.into_iter().collect())
            .with_attributes(attributes)
            .start_with_context(&tracer, &parent);
        span.end();
        let process = span.span_context().clone();
        let trace_id = process.trace_id().to_string();
        let (queue, job_id) = (job.queue.to_owned(), job.id.to_owned());
        let (attempt, stages) = (job.attempt.into(), Mutex::default());
        let is_settled = AtomicBool::new(false);
        Self(Some(Steps {
            tracer,
            queue,
            job: job_id,
            attempt,
            began,
            process,
            trace_id,
            is_settled,
            stages,
        }))
    }

    /// The trace's 32 hexadecimal digits, where it is made.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.as_ref().map(|steps| steps.trace_id.as_str())
    }

    /// The W3C trace context of the claim.
    pub fn traceparent(&self) -> Option<String> {
        let process = &self.0.as_ref()?.process;
        let flags = process.trace_flags().to_u8();
        Some(format!("00-{}-{}-{flags:02x}", process.trace_id(), process.span_id()))
    }

    /// A call begins; the first one of its stage ends the stage's wait.
    pub fn call(&self, call: &CallFacts<'_>) -> TracedCall {
        TracedCall(self.0.as_ref().map(|steps| steps.call(call)))
    }

    /// A stage has ended.
    pub fn stage_ended(&self, stage: &StageFacts) {
        if let Some(steps) = &self.0 {
            steps.stage_ended(stage);
        }
    }

    /// The attempt has ended in `outcome`: `done`, `retry`, `park`, `dead` or `release`.
    pub fn settled(&self, outcome: &'static str, failure: Option<&str>) {
        if let Some(steps) = &self.0 {
            steps.settled(outcome, failure);
        }
    }
}

impl Steps {
    fn call(&self, call: &CallFacts<'_>) -> opentelemetry_sdk::trace::Span {
        let stage = self.stage(call.stage, call.waited);
        let (name, kind) = match call.gen_ai {
            Some(asked) => (format!("{} {}", asked.operation, asked.model), SpanKind::Client),
            None if call.stage == "encode" => {
                (format!("{} {}", call.operation, call.provider), SpanKind::Internal)
            }
            None => (format!("{} {}", call.operation, call.provider), SpanKind::Client),
        };
        let mut attributes = vec![
            KeyValue::new("stillcast.job.id", self.job.clone()),
            KeyValue::new("stillcast.attempt", self.attempt),
            KeyValue::new("stillcast.stage", call.stage),
            KeyValue::new("stillcast.provider", call.provider),
            KeyValue::new("stillcast.try", i64::from(call.tried)),
            KeyValue::new("stillcast.wait_s", call.waited.as_secs_f64()),
        ];
        if let Some(asked) = call.gen_ai {
            attributes.extend([
                KeyValue::new("gen_ai.operation.name", asked.operation),
                KeyValue::new("gen_ai.output.type", asked.output_type),
                KeyValue::new("gen_ai.provider.name", call.provider),
                KeyValue::new("gen_ai.request.model", asked.model.to_owned()),
            ]);
        }
        SpanBuilder::from_name(name)
            .with_kind(kind)
            .with_attributes(attributes)
            .start_with_context(&self.tracer, &below(stage))
    }

    /// The span of a stage's wait, made when its first call begins.
    fn stage(&self, stage: &'static str, waited: Duration) -> SpanContext {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = stages.entry(stage).or_insert_with(|| {
            let now = clock::now();
            let began = now.checked_sub(waited).unwrap_or(now);
            let mut span = SpanBuilder::from_name(stage)
                .with_start_time(began)
                .with_attributes(self.own(stage))
                .start_with_context(&self.tracer, &below(self.process.clone()));
            span.end_with_timestamp(now);
            Stage { began, span: span.span_context().clone() }
        });
        entered.span.clone()
    }

    fn stage_ended(&self, facts: &StageFacts) {
        let stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let began = stages.get(facts.stage).map(|stage| stage.began);
        drop(stages);
        let mut attributes = self.own(facts.stage).to_vec();
        attributes.extend([
            KeyValue::new("stillcast.cached", facts.cached),
            KeyValue::new("stillcast.tries", i64::from(facts.tries)),
            KeyValue::new("stillcast.wait_s", facts.wait_s),
            KeyValue::new("stillcast.run_s", facts.run_s),
        ]);
        let mut span = SpanBuilder::from_name(format!("complete {}", facts.stage))
            .with_start_time(began.unwrap_or_else(clock::now))
            .with_attributes(attributes)
            .start_with_context(&self.tracer, &below(self.process.clone()));
        close(&mut span, facts.failure.map(str::to_owned));
    }

    fn settled(&self, outcome: &'static str, failure: Option<&str>) {
        if self.is_settled.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut attributes = messaging(&self.queue, &self.job, outcome, "settle").to_vec();
        let lasted = self.began.elapsed().as_secs_f64();
        attributes.push(KeyValue::new("stillcast.attempt", self.attempt));
        attributes.push(KeyValue::new("stillcast.attempt.duration_s", lasted));
        let mut span = SpanBuilder::from_name(format!("{outcome} {}", self.queue))
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .start_with_context(&self.tracer, &below(self.process.clone()));
        close(&mut span, failure.map(str::to_owned));
    }

    fn own(&self, stage: &'static str) -> [KeyValue; 3] {
        [
            KeyValue::new("stillcast.job.id", self.job.clone()),
            KeyValue::new("stillcast.attempt", self.attempt),
            KeyValue::new("stillcast.stage", stage),
        ]
    }
}

impl Drop for TracedAttempt {
    fn drop(&mut self) {
        self.settled("release", Some("cut"));
    }
}

impl TracedCall {
    /// The call has ended.
    pub fn ended(mut self, end: &CallEnd) {
        let Some(mut span) = self.0.take() else { return };
        let tokens = [
            ("gen_ai.usage.input_tokens", end.input_tokens),
            ("gen_ai.usage.output_tokens", end.output_tokens),
        ];
        for (name, number) in tokens {
            if let Some(number) = number.and_then(|number| i64::try_from(number).ok()) {
                span.set_attribute(KeyValue::new(name, number));
            }
        }
        close(&mut span, end.failure.map(str::to_owned));
    }
}

impl Drop for TracedCall {
    fn drop(&mut self) {
        if let Some(span) = &mut self.0 {
            close(span, Some("cut".to_owned()));
        }
    }
}

/// Ends a span. Of a failure only its code is told: a sentence may be about a job's text.
fn close(span: &mut opentelemetry_sdk::trace::Span, failure: Option<String>) {
    if let Some(code) = failure {
        span.set_attribute(KeyValue::new("error.type", code.clone()));
        span.set_status(Status::error(code));
    }
    span.end();
}

fn messaging(queue: &str, job: &str, name: &'static str, kind: &'static str) -> [KeyValue; 5] {
    [
        KeyValue::new("messaging.system", SYSTEM),
        KeyValue::new("messaging.operation.name", name),
        KeyValue::new("messaging.operation.type", kind),
        KeyValue::new("messaging.destination.name", queue.to_owned()),
        KeyValue::new("messaging.message.id", job.to_owned()),
    ]
}

fn below(span: SpanContext) -> Context {
    Context::new().with_remote_span_context(span)
}

/// The span that a W3C trace context names; `None` where it names none.
fn context_of(traceparent: &str) -> Option<SpanContext> {
    let mut fields = traceparent.split('-').skip(1);
    let trace = TraceId::from_hex(fields.next()?).ok()?;
    let span = SpanId::from_hex(fields.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(fields.next()?, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}
