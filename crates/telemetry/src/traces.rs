//! What an attempt does goes in, step by step; spans leave for a collector over OTLP, where one is named.
//!
//! No span lives as long as a job: a worker may die at any call, and a span that has not ended by then
//! is lost, with the parent of whatever was made below it. So a parent is always over before its first
//! child begins:
//!
//! ```text
//! send                           the producer's, whose traceparent travels with the job
//! └─ process QUEUE               ends with the claim; of a later attempt it links to the first one
//!    ├─ STAGE                    its wait, until its first call begins
//!    │  └─ chat MODEL, mux ffmpeg  each call, from its slot to its answer
//!    ├─ complete STAGE           the whole of a stage that has ended, and how
//!    └─ done QUEUE               how the attempt has ended: done, retry, park, dead or release
//! ```
//!
//! The queue of spans is first in, first out, so that a parent is also sent before its children. What
//! dies with a worker is what it had not sent yet, at most `OTEL_BSP_SCHEDULE_DELAY` of it.

mod facts;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(not(feature = "otlp"))]
#[path = "traces/no_otlp.rs"]
mod otlp;

pub use facts::{CallEnd, CallFacts, GenAiFacts, StageFacts, TraceError, TraceOptions, TracedJob};
pub use otlp::{TracedAttempt, TracedCall, Traces, check_exporter};
