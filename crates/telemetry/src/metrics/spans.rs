//! What becomes of the spans that are made.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpanEnd {
    result: &'static str,
}

/// Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanCounters(Family<SpanEnd, Counter>);

impl SpanCounters {
    pub(super) fn new(to: &mut Registry) -> Self {
        let Self(spans) = Self::default();
        let help = "Spans for the collector: `sent`, `failed` since it did not take them, or \
                    `dropped` since too many waited";
        to.register("spans", help, spans.clone());
        Self(spans)
    }
}

#[cfg_attr(
    not(any(feature = "otlp", test)),
    expect(dead_code, reason = "this build makes no spans")
)]
impl SpanCounters {
    /// `sent`, `failed` or `dropped`.
    pub(crate) fn count(&self, result: &'static str, spans: usize) {
        let spans = u64::try_from(spans).unwrap_or(u64::MAX);
        self.0.get_or_create(&SpanEnd { result }).inc_by(spans);
    }
}
