//! A collector of spans to test against: what a worker sends over OTLP goes in, decoded by
//! OpenTelemetry's own protocol; spans come out. It can be made to keep its answers back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1 as sent;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A span as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// 32 hexadecimal digits.
    pub trace: String,
    /// 16 hexadecimal digits.
    pub id: String,
    /// Those of its parent; empty without one.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// `1` for internal, `3` for client, `5` for consumer.
    pub kind: i32,
    /// Nanoseconds since the epoch.
    pub began: u64,
    /// The same.
    pub ended: u64,
    /// What it says, as texts.
    pub attributes: BTreeMap<String, String>,
    /// The spans to which it links, as trace and span.
    pub links: Vec<(String, String)>,
    /// Whether its status is an error.
    pub failed: bool,
    /// Who has sent it.
    pub resource: BTreeMap<String, String>,
}

impl Span {
    /// An attribute; empty where it has none of this name.
    #[must_use]
    pub fn says(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// A running collector; gone when dropped.
pub struct Collector {
    address: SocketAddr,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    spans: Mutex<Vec<Span>>,
    /// Bodies and headers, as they came.
    raw: Mutex<Vec<u8>>,
    received: watch::Sender<usize>,
    holds: watch::Sender<bool>,
}

impl Collector {
    /// Starts to listen.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            spans: Mutex::default(),
            raw: Mutex::default(),
            received: watch::Sender::new(0),
            holds: watch::Sender::new(false),
        });
        let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Ends only with its owner.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, shared, _server: server })
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is set to.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on requests are read, and answered only after [`Collector::release`].
    pub fn hold(&self) {
        self.shared.holds.send_replace(true);
    }

    /// Answers what was held.
    pub fn release(&self) {
        self.shared.holds.send_replace(false);
    }

    /// Every span so far, in the order in which they came.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.shared.spans().clone()
    }

    /// Returns when more than `count` spans have come, and how many have.
    pub async fn received(&self, count: usize) -> usize {
        let mut received = self.shared.received.subscribe();
        let more = received.wait_for(|received| *received > count).await;
        more.map_or(count, |received| *received)
    }

    /// Whether anything that came holds `text`.
    #[must_use]
    pub fn holds_text(&self, text: &str) -> bool {
        let raw = self.shared.raw.lock().unwrap_or_else(PoisonError::into_inner);
        raw.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

impl Shared {
    fn keep(&self, body: &[u8], request: &ExportTraceServiceRequest) {
        self.raw.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(body);
        let mut spans = self.spans();
        spans.extend(request.resource_spans.iter().flat_map(spans_of));
        self.received.send_replace(spans.len());
    }

    fn spans(&self) -> MutexGuard<'_, Vec<Span>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The spans of `spans` whose parent is neither among them nor one of `known`.
#[must_use]
pub fn orphans(spans: &[Span], known: &[&str]) -> Vec<Span> {
    let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let has_parent = |span: &&Span| {
        let parent = span.parent.as_str();
        parent.is_empty() || ids.contains(parent) || known.contains(&parent)
    };
    spans.iter().filter(|span| !has_parent(span)).cloned().collect()
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else {
        return StatusCode::BAD_REQUEST;
    };
    if headers.get("content-type").is_none_or(|kind| kind != "application/x-protobuf") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    shared.keep(&body, &request);
    let mut holds = shared.holds.subscribe();
    // Its sender lives as long as the collector.
    holds.wait_for(|holds| !holds).await.map_or(StatusCode::OK, |_| StatusCode::OK)
}

fn spans_of(sent: &sent::ResourceSpans) -> Vec<Span> {
    let resource = sent.resource.as_ref().map(|resource| texts(&resource.attributes));
    let resource = resource.unwrap_or_default();
    let spans = sent.scope_spans.iter().flat_map(|scope| &scope.spans);
    spans.map(|span| span_of(span, &resource)).collect()
}

fn span_of(span: &sent::Span, resource: &BTreeMap<String, String>) -> Span {
    let link = |link: &sent::span::Link| (hex::encode(&link.trace_id), hex::encode(&link.span_id));
    let failed = span.status.as_ref().is_some_and(|status| status.code == 2);
    Span {
        trace: hex::encode(&span.trace_id),
        id: hex::encode(&span.span_id),
        parent: hex::encode(&span.parent_span_id),
        name: span.name.clone(),
        kind: span.kind,
        began: span.start_time_unix_nano,
        ended: span.end_time_unix_nano,
        attributes: texts(&span.attributes),
        links: span.links.iter().map(link).collect(),
        failed,
        resource: resource.clone(),
    }
}

fn texts(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    }
}
