//! Facts go in; spans are made, wait in a bounded queue, and leave on a thread of their own.

mod attempt;
mod outbox;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Compression, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use self::outbox::Outbox;
use super::facts::{TraceError, TraceOptions, TracedJob};
use crate::Metrics;

pub use attempt::{TracedAttempt, TracedCall};

/// Whoever makes spans, and the way on which they leave. Clones are the same.
#[derive(Clone, Debug)]
pub struct Traces(Option<Arc<Exporting>>);

#[derive(Debug)]
struct Exporting {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    outbox: Outbox,
}

/// Makes an exporter and throws it away: whether one can be made shows without a collector.
pub fn check_exporter(options: &TraceOptions) -> Result<(), TraceError> {
    exporter(options).map(drop)
}

impl Traces {
    /// What makes no spans.
    pub fn off() -> Self {
        Self(None)
    }

    /// Makes spans in the name of `worker` and sends them; what becomes of them is counted in
    /// `metrics`. Names, sampler and delays that the options do not hold are read from `OTEL_…` as
    /// the SDK's documentation says.
    pub fn start(
        options: &TraceOptions,
        worker: &str,
        metrics: &Metrics,
    ) -> Result<Self, TraceError> {
        let resource = Resource::builder()
            .with_service_name(options.service.clone())
            .with_attributes([
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("service.instance.id", worker.to_owned()),
            ])
            .build();
        Ok(Self::through(exporter(options)?, resource, metrics))
    }

    fn through(
        exporter: impl opentelemetry_sdk::trace::SpanExporter + 'static,
        resource: Resource,
        metrics: &Metrics,
    ) -> Self {
        let outbox = Outbox::new(metrics.spans());
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_span_processor(outbox.processor(exporter))
            .build();
        let tracer = provider.tracer("stillcast");
        Self(Some(Arc::new(Exporting { provider, tracer, outbox })))
    }

    /// An attempt begins: the span of its claim is made at once.
    pub fn attempt(&self, job: &TracedJob<'_>) -> TracedAttempt {
        let exporting = self.0.as_ref();
        TracedAttempt::begin(exporting.map(|exporting| exporting.tracer.clone()), job)
    }

    /// Sends what waits, for no longer than `limit`; what is left then counts as dropped. Blocks.
    pub fn shutdown(&self, limit: Duration) {
        let Some(exporting) = &self.0 else { return };
        // Whether it came to its end shows in what is left.
        let _ = exporting.provider.shutdown_with_timeout(limit);
        let left = exporting.outbox.give_up();
        if left > 0 {
            tracing::warn!(spans = left, "the collector did not take the last spans in time");
        }
    }
}

/// The client blocks, on the thread of the batches: an asynchronous one would panic there.
fn exporter(options: &TraceOptions) -> Result<SpanExporter, TraceError> {
    let headers: HashMap<String, String> = options.headers.iter().cloned().collect();
    let builder = SpanExporter::builder()
        .with_http()
        .with_endpoint(&options.endpoint)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(options.timeout)
        .with_headers(headers);
    let builder = if options.gzip { builder.with_compression(Compression::Gzip) } else { builder };
    // Its words repeat the address, which may hold a password.
    builder.build().map_err(|_| TraceError::Exporter)
}

#[cfg(test)]
mod tests;
