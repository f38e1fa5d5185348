//! Log lines, numbers and spans leave a process here: binaries start it, libraries only emit.
//!
//! [`start`] sends events and spans of `tracing` to stderr; [`Metrics`] holds what a worker counts
//! and writes it as `OpenMetrics` text; [`Depth`] writes the numbers of the queue as a whole;
//! [`Traces`] sends what an attempt does to a collector.

#![warn(missing_docs)]

mod clock;
mod depth;
mod logging;
mod metrics;
mod traces;

pub use depth::Depth;
pub use logging::{Guard, LogFormat, Logging, TelemetryError, start, trace_id};
pub use metrics::{CONTENT_TYPE, Counted, GenAiCall, Metrics, StageOutcome, TokenUse};
pub use traces::{
    CallEnd, CallFacts, GenAiFacts, StageFacts, TraceError, TraceOptions, TracedAttempt,
    TracedCall, TracedJob, Traces, check_exporter,
};
