//! Log lines and numbers leave a process here: binaries start it, libraries only emit.
//!
//! [`start`] sends events and spans of `tracing` to stderr; [`Metrics`] holds what a worker counts
//! and writes it as `OpenMetrics` text; [`Depth`] writes the numbers of the queue as a whole.

#![warn(missing_docs)]

mod depth;
mod logging;
mod metrics;

pub use depth::Depth;
pub use logging::{Guard, LogFormat, Logging, TelemetryError, start, trace_id};
pub use metrics::{CONTENT_TYPE, Metrics, StageOutcome};
