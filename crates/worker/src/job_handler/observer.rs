//! What the pipeline tells of its calls goes in; numbers, spans and the queue's history come out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pipeline::{Call, CallObserver, OpenCall, Usage};
use queue::Tally;
use stillcast_enqueue::{Cost, Format, StageName, StageRecord};
use telemetry::{
    CallEnd, CallFacts, GenAiCall, GenAiFacts, Metrics, StageFacts, TokenUse, TracedAttempt,
    TracedCall,
};

use crate::models::{Asked, asked_of};

/// The code of a call that did not fail.
const FINE: &str = "ok";

/// Counts and traces the calls of one attempt.
pub(super) struct AttemptObserver {
    metrics: Arc<Metrics>,
    trace: Arc<TracedAttempt>,
    tally: Tally,
    format: Format,
    /// The models that the attempt has asked.
    models: Mutex<BTreeMap<StageName, GenAiCall>>,
}

/// A call under way.
struct Observed {
    metrics: Arc<Metrics>,
    tally: Tally,
    call: (StageName, &'static str),
    model: Option<GenAiCall>,
    began: Instant,
    span: Option<TracedCall>,
}

impl AttemptObserver {
    pub(super) fn new(
        metrics: Arc<Metrics>,
        trace: Arc<TracedAttempt>,
        (tally, format): (Tally, Format),
    ) -> Self {
        Self { metrics, trace, tally, format, models: Mutex::default() }
    }

    fn models(&self) -> MutexGuard<'_, BTreeMap<StageName, GenAiCall>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallObserver for AttemptObserver {
    fn began(&self, call: &Call<'_>, waited: Duration, tried: u32) -> Box<dyn OpenCall> {
        let asked = asked_of(call.stage).zip(call.model);
        let gen_ai = asked.map(|(Asked { operation, output_type }, model)| GenAiFacts {
            operation,
            output_type,
            model,
        });
        let model = asked.map(|(asked, model)| asked.call(call.provider, model));
        if let Some(model) = &model {
            self.models().insert(call.stage, model.clone());
        }
        let (stage, provider, operation) = (call.stage.as_str(), call.provider, call.operation);
        let facts = CallFacts { stage, provider, operation, gen_ai, waited, tried };
        Box::new(Observed {
            metrics: Arc::clone(&self.metrics),
            tally: self.tally.clone(),
            call: (call.stage, call.provider),
            model,
            began: Instant::now(),
            span: Some(self.trace.call(&facts)),
        })
    }

    fn used(&self, stage: StageName, usage: &Usage) {
        let model = self.models().get(&stage).cloned();
        if let Some(model) = model {
            let cached = count(usage, "cached_input_tokens");
            let reasoning = count(usage, "reasoning_tokens");
            let (input, output) = (count(usage, "input_tokens"), count(usage, "output_tokens"));
            self.metrics.tokens_used(&model, TokenUse { input, output, cached, reasoning });
        }
    }

    fn booked(&self, stage: StageName, cost: Cost) {
        let Cost { spent_usd, avoided_usd, wasted_usd } = cost;
        let booked = [("spent", spent_usd), ("avoided", avoided_usd), ("wasted", wasted_usd)];
        for (kind, usd) in booked.into_iter().filter(|(_, usd)| *usd > 0.0) {
            self.metrics.money_booked(stage.as_str(), kind, usd);
        }
    }

    fn kept(&self, stage: StageName, after: Duration) {
        self.metrics.checkpoint_kept(stage.as_str(), after);
    }

    fn ended(&self, record: &StageRecord, failure: Option<&'static str>) {
        self.tally.stage_ended(record, self.format, failure.is_some());
        self.trace.stage_ended(&StageFacts {
            stage: record.stage.as_str(),
            cached: record.cached,
            tries: record.tries,
            wait_s: record.wait_s,
            run_s: record.run_s,
            failure,
        });
    }
}

impl Observed {
    fn count(&self, code: &'static str) {
        let (stage, provider) = self.call;
        let after = self.began.elapsed();
        self.metrics.provider_called((stage.as_str(), provider), code, after);
        if code != FINE {
            self.tally.call_failed(stage, provider, code);
        }
        if let Some(model) = &self.model {
            self.metrics.model_called(model, after);
        }
    }
}

impl OpenCall for Observed {
    fn ended(mut self: Box<Self>, usage: &Usage, failure: Option<&'static str>) {
        self.count(failure.unwrap_or(FINE));
        let (input_tokens, output_tokens) =
            (count(usage, "input_tokens"), count(usage, "output_tokens"));
        if let Some(span) = self.span.take() {
            span.ended(&CallEnd { input_tokens, output_tokens, failure });
        }
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if self.span.is_some() {
            self.count("cut");
        }
    }
}

/// Tokens are counted whole.
fn count(usage: &Usage, name: &str) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts of one call are small, and none is negative"
    )]
    usage.sum(name).map(|number| number as u64)
}
