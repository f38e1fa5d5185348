//! What is known of a collector, a job, a call and a stage; what spans are made of. No text of a job, no
//! key and no address is among it.

use std::fmt;
use std::time::Duration;

/// Where spans go, and from whom.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceOptions {
    /// The whole address, such as `http://localhost:4318/v1/traces`.
    pub endpoint: String,
    /// Names and values that each request carries; values are secrets.
    pub headers: Vec<(String, String)>,
    /// Longest wait for the collector's answer to one request.
    pub timeout: Duration,
    /// Whether requests are compressed.
    pub gzip: bool,
    /// The service's name (`OTEL_SERVICE_NAME`).
    pub service: String,
}

impl fmt::Debug for TraceOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("TraceOptions")
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// Why no spans can be sent at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// No client for these settings; nothing of them is in the words.
    #[error(
        "no client can be made for it; is it a whole address, and has the machine certificates?"
    )]
    Exporter,
    /// This build has no exporter.
    #[error("this build sends no traces")]
    LeftOut,
}

/// A job as an attempt begins it.
#[derive(Clone, Copy, Debug)]
pub struct TracedJob<'job> {
    /// The job's name.
    pub id: &'job str,
    /// Whose it is.
    pub tenant: &'job str,
    /// `audio` or `video`.
    pub format: &'job str,
    /// The queue from which it comes.
    pub queue: &'job str,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// The producer's W3C trace context.
    pub traceparent: Option<&'job str>,
    /// That of the job's first attempt, where this is a later one.
    pub first_attempt: Option<&'job str>,
}

/// A call that begins.
#[derive(Clone, Copy, Debug)]
pub struct CallFacts<'call> {
    /// The stage's word.
    pub stage: &'static str,
    /// Who is called.
    pub provider: &'static str,
    /// What is done, such as `put`.
    pub operation: &'static str,
    /// What a model is asked for, where one is.
    pub gen_ai: Option<GenAiFacts<'call>>,
    /// How long it has waited for its slot.
    pub waited: Duration,
    /// The number of its try, from 1.
    pub tried: u32,
}

/// What a model is asked for, in the words of the conventions.
#[derive(Clone, Copy, Debug)]
pub struct GenAiFacts<'call> {
    /// `chat` or `generate_content`.
    pub operation: &'static str,
    /// `text`, `speech` or `image`.
    pub output_type: &'static str,
    /// The model.
    pub model: &'call str,
}

/// How a call has ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallEnd {
    /// Tokens of the prompt, where anybody has counted them.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// The code of its failure.
    pub failure: Option<&'static str>,
}

/// A stage that has ended.
#[derive(Clone, Copy, Debug)]
pub struct StageFacts {
    /// The stage's word.
    pub stage: &'static str,
    /// Whether a checkpoint or a cache gave it.
    pub cached: bool,
    /// Tries of all its calls.
    pub tries: u32,
    /// Seconds before slots.
    pub wait_s: f64,
    /// Seconds inside slots.
    pub run_s: f64,
    /// The code of its failure.
    pub failure: Option<&'static str>,
}
