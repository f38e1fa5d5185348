//! Facts go in; the spans that an exporter gets come out.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;

use super::*;
use crate::{CallEnd, CallFacts, GenAiFacts, StageFacts};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SEND: &str = "00f067aa0ba902b7";

/// Hands each batch on; says when it begins, and waits until it may go on.
#[derive(Debug)]
struct Handing {
    batches: Sender<Vec<SpanData>>,
    go_on: Option<Mutex<Receiver<()>>>,
}

impl opentelemetry_sdk::trace::SpanExporter for Handing {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let _ = self.batches.send(batch);
        if let Some(go_on) = &self.go_on {
            let _ = go_on.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        Ok(())
    }
}

fn traces(metrics: &Metrics) -> (Traces, Receiver<Vec<SpanData>>) {
    let (batches, got) = channel();
    let exporter = Handing { batches, go_on: None };
    (Traces::through(exporter, Resource::builder_empty().build(), metrics), got)
}

fn job<'job>(traceparent: Option<&'job str>, first_attempt: Option<&'job str>) -> TracedJob<'job> {
    TracedJob {
        id: "j1",
        tenant: "acme",
        format: "audio",
        queue: "q",
        attempt: 1,
        traceparent,
        first_attempt,
    }
}

fn call(stage: &'static str) -> CallFacts<'static> {
    let asked = GenAiFacts { operation: "chat", output_type: "text", model: "m1" };
    CallFacts {
        stage,
        provider: "openai",
        operation: "write",
        gen_ai: (stage == "transcript").then_some(asked),
        waited: Duration::from_millis(20),
        tried: 1,
    }
}

fn attempt(traces: &Traces) {
    let parent = format!("00-{TRACE}-{SEND}-01");
    let attempt = traces.attempt(&job(Some(&parent), None));
    let tokens = CallEnd { input_tokens: Some(3), output_tokens: Some(4), failure: None };
    attempt.call(&call("transcript")).ended(&tokens);
    attempt.call(&call("encode")).ended(&CallEnd::default());
    drop(attempt.call(&call("encode")));
    let facts = StageFacts {
        stage: "encode",
        cached: false,
        tries: 2,
        wait_s: 0.0,
        run_s: 1.0,
        failure: Some("cut"),
    };
    attempt.stage_ended(&facts);
    attempt.settled("retry", Some("encoder-failed"));
}

fn text(span: &SpanData, name: &str) -> String {
    let found = span.attributes.iter().find(|one| one.key.as_str() == name);
    found.map(|one| one.value.to_string()).unwrap_or_default()
}

#[test]
fn a_parent_is_over_before_its_first_child_begins() {
    let metrics = Metrics::new("0", "q", 1);
    let (traces, got) = traces(&metrics);
    attempt(&traces);
    traces.shutdown(Duration::from_secs(5));
    let spans: Vec<SpanData> = got.try_iter().flatten().collect();
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    let whole = [
        "process q",
        "transcript",
        "chat m1",
        "encode",
        "write openai",
        "write openai",
        "complete encode",
        "retry q",
    ];
    assert_eq!(names, whole);
    let mut sent = HashSet::from([SpanId::from_hex(SEND).unwrap()]);
    for span in &spans {
        assert_eq!(span.span_context.trace_id().to_string(), TRACE);
        assert!(sent.contains(&span.parent_span_id), "{} is sent before its parent", span.name);
        sent.insert(span.span_context.span_id());
    }
    assert!(metrics.encode().contains("stillcast_spans_total{queue=\"q\",result=\"sent\"} 8\n"));
}

#[test]
fn spans_say_what_was_done_in_the_words_of_the_conventions() {
    let (traces, got) = traces(&Metrics::new("0", "q", 1));
    attempt(&traces);
    traces.shutdown(Duration::from_secs(5));
    let spans: Vec<SpanData> = got.try_iter().flatten().collect();
    let [process, _, chat, .., cut, complete, retry] = &spans[..] else { panic!("{spans:?}") };
    for (span, name, value) in [
        (process, "messaging.system", "stillcast"),
        (process, "messaging.operation.name", "process"),
        (process, "messaging.operation.type", "process"),
        (process, "messaging.destination.name", "q"),
        (process, "messaging.message.id", "j1"),
        (chat, "gen_ai.operation.name", "chat"),
        (chat, "gen_ai.output.type", "text"),
        (chat, "gen_ai.provider.name", "openai"),
        (chat, "gen_ai.request.model", "m1"),
        (chat, "gen_ai.usage.input_tokens", "3"),
        (chat, "gen_ai.usage.output_tokens", "4"),
        (cut, "error.type", "cut"),
        (complete, "stillcast.tries", "2"),
        (retry, "messaging.operation.type", "settle"),
        (retry, "error.type", "encoder-failed"),
    ] {
        assert_eq!(text(span, name), value, "{name} of {}", span.name);
    }
    assert_eq!(process.span_kind, SpanKind::Consumer);
    assert_eq!(chat.span_kind, SpanKind::Client);
    assert_eq!((&chat.status, &cut.status), (&Status::Unset, &Status::error("cut")));
}

#[test]
fn a_later_attempt_links_to_the_first() {
    let (traces, got) = traces(&Metrics::new("0", "q", 1));
    let parent = format!("00-{TRACE}-{SEND}-01");
    let first = traces.attempt(&job(Some(&parent), None)).traceparent().unwrap();
    let _later = traces.attempt(&job(Some(&parent), Some(&first)));
    // Without a producer's trace each attempt has one of its own.
    let alone = traces.attempt(&job(None, None));
    let other = traces.attempt(&job(Some("00-0-0-00"), None));
    assert_ne!(alone.trace_id(), other.trace_id());
    traces.shutdown(Duration::from_secs(5));
    let claims = got.try_iter().flatten().filter(|span| span.name == "process q");
    let spans: Vec<SpanData> = claims.collect();
    assert_eq!(spans[0].links.len(), 0);
    let linked = &spans[1].links[0].span_context;
    assert_eq!(linked.span_id(), spans[0].span_context.span_id());
    assert_eq!(linked.trace_id(), spans[0].span_context.trace_id());
    assert_eq!(spans[1].parent_span_id.to_string(), SEND);
    assert_eq!(spans[2].parent_span_id, SpanId::INVALID);
}

#[test]
fn a_producer_that_traces_nothing_is_not_traced() {
    let (traces, got) = traces(&Metrics::new("0", "q", 1));
    let parent = format!("00-{TRACE}-{SEND}-00");
    let attempt = traces.attempt(&job(Some(&parent), None));
    attempt.call(&call("transcript")).ended(&CallEnd::default());
    assert_eq!(attempt.trace_id(), Some(TRACE));
    traces.shutdown(Duration::from_secs(5));
    assert_eq!(got.try_iter().flatten().count(), 0);
}

#[test]
fn nobody_waits_for_a_collector_that_is_stuck_and_what_is_lost_is_counted() {
    let metrics = Metrics::new("0", "q", 1);
    let (batches, got) = channel();
    let (let_go, go_on) = channel();
    let exporter = Handing { batches, go_on: Some(Mutex::new(go_on)) };
    let traces = Traces::through(exporter, Resource::builder_empty().build(), &metrics);
    let more = 100;
    // Each has two spans: its claim, and that it was cut off.
    let pairs = (outbox::WAITING + more).div_ceil(2);
    for _ in 0..pairs {
        drop(traces.attempt(&job(None, None)));
    }
    // The thread of batches holds the first one, and nothing has left yet.
    assert!(!got.recv().unwrap().is_empty());
    let dropped = format!("stillcast_spans_total{{queue=\"q\",result=\"dropped\"}} {more}\n");
    assert!(metrics.encode().contains(&dropped), "{}", metrics.encode());
    drop(let_go);
    traces.shutdown(Duration::from_secs(5));
    let sent =
        format!("stillcast_spans_total{{queue=\"q\",result=\"sent\"}} {}\n", outbox::WAITING);
    assert!(metrics.encode().contains(&sent), "{}", metrics.encode());
}

#[test]
fn an_address_that_is_none_is_found_out_without_a_collector() {
    let options = |endpoint: &str| TraceOptions {
        endpoint: endpoint.to_owned(),
        headers: vec![("authorization".to_owned(), "canary".to_owned())],
        timeout: Duration::from_secs(1),
        gzip: true,
        service: "s".to_owned(),
    };
    check_exporter(&options("http://127.0.0.1:1/v1/traces")).unwrap();
    let wrong = options("http://can ary");
    assert_eq!(check_exporter(&wrong), Err(TraceError::Exporter));
    assert!(!format!("{wrong:?} {}", TraceError::Exporter).contains("canary"));
}
