//! In place of spans, in a build that leaves them out: nothing is made, and nothing is sent.

use std::time::Duration;

use super::facts::{CallEnd, CallFacts, StageFacts, TraceError, TraceOptions, TracedJob};
use crate::Metrics;

/// Sends nothing.
#[derive(Clone, Debug)]
pub struct Traces;

/// Makes no spans.
#[derive(Debug)]
pub struct TracedAttempt;

/// Makes none either.
#[derive(Debug)]
pub struct TracedCall;

/// There is no exporter.
pub fn check_exporter(_: &TraceOptions) -> Result<(), TraceError> {
    Err(TraceError::LeftOut)
}

impl Traces {
    /// What sends nothing.
    pub fn off() -> Self {
        Self
    }

    /// There is no exporter.
    pub fn start(_: &TraceOptions, _: &str, _: &Metrics) -> Result<Self, TraceError> {
        Err(TraceError::LeftOut)
    }

    /// An attempt without spans.
    pub fn attempt(&self, _: &TracedJob<'_>) -> TracedAttempt {
        TracedAttempt
    }

    /// Nothing waits.
    pub fn shutdown(&self, _: Duration) {}
}

impl TracedAttempt {
    /// None.
    pub fn trace_id(&self) -> Option<&str> {
        None
    }

    /// None.
    pub fn traceparent(&self) -> Option<String> {
        None
    }

    /// A call without a span.
    pub fn call(&self, _: &CallFacts<'_>) -> TracedCall {
        TracedCall
    }

    /// Nobody is told.
    pub fn stage_ended(&self, _: &StageFacts) {}

    /// Nobody is told.
    pub fn settled(&self, _: &'static str, _: Option<&str>) {}
}

impl TracedCall {
    /// Nobody is told.
    pub fn ended(self, _: &CallEnd) {}
}
