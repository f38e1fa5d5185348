//! Tokens and times of models, under the names of OpenTelemetry's conventions for generative AI
//! (those of late 2026), as Prometheus spells them.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde::{Deserialize, Serialize};

use super::histograms::Histograms;
use super::word::Word;

/// Seconds; the conventions' own.
const DURATIONS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const FIRST_CHUNKS: [f64; 16] =
    [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
const CHUNKS: [f64; 13] = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// What a model was asked for. All are words of closed sets: a model is one that an operator has set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet, Serialize, Deserialize)]
pub struct GenAiCall {
    /// `chat`, or `generate_content` where the conventions have no word of their own.
    pub gen_ai_operation_name: Word,
    /// What it makes: `text`, `speech` or `image`.
    pub gen_ai_output_type: Word,
    /// Who sells it.
    pub gen_ai_provider_name: Word,
    /// The model's name, as the server knows it.
    pub gen_ai_request_model: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
#[expect(clippy::struct_field_names, reason = "the fields are the words of the labels")]
struct Tokens {
    gen_ai_operation_name: Word,
    gen_ai_provider_name: Word,
    gen_ai_request_model: String,
    gen_ai_token_modality: Word,
}

#[derive(Debug)]
pub(super) struct GenAi {
    input: Family<Tokens, Counter>,
    output: Family<Tokens, Counter>,
    cached: Family<Tokens, Counter>,
    reasoning: Family<Tokens, Counter>,
    durations: Histograms<GenAiCall>,
    first_chunks: Histograms<GenAiCall>,
    chunks: Histograms<GenAiCall>,
}

/// Tokens that a call has used, as far as anybody has counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUse {
    /// Of the prompt.
    pub input: Option<u64>,
    /// Of the answer.
    pub output: Option<u64>,
    /// Those of the prompt that the provider had in its cache.
    pub cached: Option<u64>,
    /// Those of the answer that were thoughts.
    pub reasoning: Option<u64>,
}

impl GenAi {
    pub(super) fn new(to: &mut Registry) -> Self {
        let gen_ai = Self {
            input: Family::default(),
            output: Family::default(),
            cached: Family::default(),
            reasoning: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            first_chunks: Family::new_with_constructor(|| Histogram::new(FIRST_CHUNKS)),
            chunks: Family::new_with_constructor(|| Histogram::new(CHUNKS)),
        };
        let tokens = [
            ("input_tokens", "Tokens of prompts", &gen_ai.input),
            ("output_tokens", "Tokens of answers", &gen_ai.output),
            ("cache_read_input_tokens", "Tokens of prompts from its cache", &gen_ai.cached),
            ("reasoning_output_tokens", "Tokens of thoughts", &gen_ai.reasoning),
        ];
        for (name, help, family) in tokens {
            to.register(format!("gen_ai_client_inference_usage_{name}"), help, family.clone());
        }
        let times = [
            ("duration", "Time of a call to a model, body included", &gen_ai.durations),
            ("time_to_first_chunk", "From request to first chunk", &gen_ai.first_chunks),
            ("time_per_output_chunk", "From chunk to chunk", &gen_ai.chunks),
        ];
        for (name, help, family) in times {
            to.register(format!("gen_ai_client_operation_{name}_seconds"), help, family.clone());
        }
        gen_ai
    }
}

impl GenAi {
    /// A call to a model ended after this time.
    pub(super) fn model_called(&self, call: &GenAiCall, after: Duration) {
        self.durations.get_or_create(call).observe(after.as_secs_f64());
    }

    /// A call to a model has used these tokens. Where nobody has counted any, their kind is
    /// `unknown` and their number 0.
    pub(super) fn tokens_used(&self, call: &GenAiCall, used: TokenUse) {
        let modality = match &*call.gen_ai_output_type {
            "speech" => "audio".into(),
            _ => call.gen_ai_output_type.clone(),
        };
        let count = |family: &Family<Tokens, Counter>, modality: Word, number: Option<u64>| {
            let modality = if number.is_some() { modality } else { "unknown".into() };
            let labels = Tokens {
                gen_ai_operation_name: call.gen_ai_operation_name.clone(),
                gen_ai_provider_name: call.gen_ai_provider_name.clone(),
                gen_ai_request_model: call.gen_ai_request_model.clone(),
                gen_ai_token_modality: modality,
            };
            family.get_or_create(&labels).inc_by(number.unwrap_or_default());
        };
        count(&self.input, "text".into(), used.input);
        count(&self.output, modality, used.output);
        if used.cached.is_some() {
            count(&self.cached, "text".into(), used.cached);
        }
        if used.reasoning.is_some() {
            count(&self.reasoning, "text".into(), used.reasoning);
        }
    }

    /// The first chunk of an answer came so long after its request.
    pub(super) fn first_chunk(&self, call: &GenAiCall, after: Duration) {
        self.first_chunks.get_or_create(call).observe(after.as_secs_f64());
    }

    /// A chunk came so long after the one before.
    pub(super) fn next_chunk(&self, call: &GenAiCall, after: Duration) {
        self.chunks.get_or_create(call).observe(after.as_secs_f64());
    }
}
