//! What becomes of the spans that are made.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::counted::{Relay, What};
use super::word::Word;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpanEnd {
    result: Word,
}

/// Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanCounters {
    ended: Family<SpanEnd, Counter>,
    relay: Option<Relay>,
}

impl SpanCounters {
    pub(super) fn new(to: &mut Registry) -> Self {
        let spans = Self::default();
        let help = "Spans for the collector: `sent`, `failed` since it did not take them, or \
                    `dropped` since too many waited";
        to.register("spans", help, spans.ended.clone());
        spans
    }

    /// The same, told elsewhere.
    pub(super) fn relayed(self, relay: Relay) -> Self {
        Self { relay: Some(relay), ..self }
    }

    pub(super) fn add(&self, result: Word, spans: u64) {
        self.ended.get_or_create(&SpanEnd { result }).inc_by(spans);
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
        let result = result.into();
        match &self.relay {
            Some(relay) => relay.tell(What::Spans { result, spans }),
            None => self.add(result, spans),
        }
    }
}
