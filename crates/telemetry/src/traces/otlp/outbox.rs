//! Ended spans go in; batches of them leave, or are counted as lost. The queue is bounded, and nobody
//! waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

use crate::metrics::SpanCounters;

/// Most spans that wait or are under way, some 1 KiB each; the specification's own number.
pub(super) const WAITING: usize = 2_048;

/// What all ends of the queue share. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Outbox(Arc<State>);

#[derive(Debug)]
struct State {
    waiting: AtomicUsize,
    /// Whether the last batch was not taken.
    is_failing: AtomicBool,
    counters: SpanCounters,
}

impl Outbox {
    pub(super) fn new(counters: SpanCounters) -> Self {
        let (waiting, is_failing) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self(Arc::new(State { waiting, is_failing, counters }))
    }

    /// The way out through `exporter`, on a thread of its own.
    pub(super) fn processor<E>(&self, exporter: E) -> impl SpanProcessor + use<E>
    where
        E: SpanExporter + 'static,
    {
        let config = BatchConfigBuilder::default().with_max_queue_size(WAITING).build();
        let counted = Counted { exporter, outbox: self.clone() };
        let batches = BatchSpanProcessor::builder(counted).with_batch_config(config).build();
        Bounded { batches, outbox: self.clone() }
    }

    /// Counts what still waits as dropped: how many it is.
    pub(super) fn give_up(&self) -> usize {
        let left = self.0.waiting.swap(0, Ordering::Relaxed);
        self.dropped(left);
        left
    }

    /// Whether there was room for one more.
    fn enter(&self) -> bool {
        let room = |waiting| (waiting < WAITING).then_some(waiting + 1);
        self.0.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok()
    }

    fn dropped(&self, spans: usize) {
        if spans > 0 {
            self.0.counters.count("dropped", spans);
        }
    }

    /// A batch has left. Of an outage its beginning and its end are told, once.
    fn left(&self, spans: usize, taken: bool) {
        self.0.counters.count(if taken { "sent" } else { "failed" }, spans);
        let gone = |waiting: usize| Some(waiting.saturating_sub(spans));
        let _ = self.0.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, gone);
        match (self.0.is_failing.swap(!taken, Ordering::Relaxed), taken) {
            (false, false) => tracing::warn!(
                "the collector does not take spans; work goes on without, and they are counted in \
                 stillcast_spans_total; is OTEL_EXPORTER_OTLP_ENDPOINT right, and up?"
            ),
            (true, true) => tracing::info!("the collector takes spans again"),
            _ => {}
        }
    }
}

/// Lets in as many spans as there is room for.
#[derive(Debug)]
struct Bounded {
    batches: BatchSpanProcessor,
    outbox: Outbox,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.outbox.enter() {
            self.batches.on_end(span);
        } else {
            self.outbox.dropped(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what becomes of each batch.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    outbox: Outbox,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.outbox.left(spans, exported.is_ok());
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
