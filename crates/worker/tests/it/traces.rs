//! Spans as a collector gets them: one job is one trace, whoever dies leaves no span without its parent,
//! and a collector that is away, or slow, costs the job nothing.

mod deaths;

use std::collections::{BTreeMap, BTreeSet};

use nix::sys::signal::Signal;
use stillcast_enqueue::{Format, Job, Source, StageName, TraceParent};
use tests::collector::{Collector, Span, orphans};
use tests::program::Program;
use tests::simulator::{Endpoint, Latency};

use crate::harness::{QUEUE, WorkerHarness, free_address, get, until};
use crate::paid_harness::{PaidHarness, key};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The producer's own span.
const SEND: &str = "00f067aa0ba902b7";
/// That of a request which names one.
const OWN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TEXT: &str = "canary-lighthouse-31 stood by the sea.";

fn traced(format: Format) -> Job {
    let parent = TraceParent::parse(&format!("00-{TRACE}-{SEND}-01")).unwrap();
    Job::new(Source::Text(TEXT.to_owned()), format).with_traceparent(parent)
}

/// Workers that send to `endpoint`, often.
fn sending(paid: &PaidHarness, endpoint: &str) -> WorkerHarness {
    paid.harness().set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).set("OTEL_BSP_SCHEDULE_DELAY", "50")
}

fn named<'span>(spans: &'span [Span], name: &str) -> Vec<&'span Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_job_is_one_trace_from_its_producer_to_each_call() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let collector = Collector::start().await.unwrap();
    let harness = sending(&paid, &collector.endpoint())
        .set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary")
        .set("LOG_FORMAT", "json");
    let mut worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[traced(Format::Video)]).await;
    paid.done(&ids).await;
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    assert_eq!(orphans(&spans, &[SEND]), []);
    assert_travels(&spans, ids[0].as_str());
    assert_calls(&spans, &paid);
    for canary in [TEXT, "canary"]
        .map(str::to_owned)
        .into_iter()
        .chain(stillcast_enqueue::capability::Capability::ALL.map(key))
    {
        assert!(!collector.holds_text(&canary), "a span holds {canary}");
    }
    let lines = worker.log();
    let delivered = lines.lines().find(|line| line.contains("delivered")).unwrap();
    assert!(delivered.contains(&format!(r#""trace_id":"{TRACE}""#)), "{delivered}");
}

/// Send, process, six stages, and the end.
fn assert_travels(spans: &[Span], job: &str) {
    let [process] = named(spans, &format!("process {QUEUE}"))[..] else { panic!("{spans:#?}") };
    assert_eq!((process.parent.as_str(), process.kind), (SEND, 5));
    assert_eq!(process.says("messaging.message.id"), job);
    assert_eq!(process.resource["service.name"], "stillcast-worker");
    for stage in StageName::ALL {
        let [wait] = named(spans, stage.as_str())[..] else { panic!("{stage}: {spans:#?}") };
        let [whole] = named(spans, &format!("complete {stage}"))[..] else {
            panic!("{stage}: {spans:#?}")
        };
        assert_eq!((&wait.parent, &whole.parent), (&process.id, &process.id));
        let calls: Vec<&Span> = spans.iter().filter(|span| span.parent == wait.id).collect();
        assert!(!calls.is_empty(), "{stage} has no call");
        // Over before its first call, and the whole is longer than each.
        assert!(calls.iter().all(|call| call.began >= wait.ended && call.ended <= whole.ended));
    }
    let [done] = named(spans, &format!("done {QUEUE}"))[..] else { panic!("{spans:#?}") };
    assert_eq!(done.says("messaging.operation.type"), "settle");
}

/// One span a purchase, with the tokens of the provider's journal.
fn assert_calls(spans: &[Span], paid: &PaidHarness) {
    let of_type = |kind: &str| {
        let found = spans.iter().filter(|span| span.says("gen_ai.output.type") == kind);
        found.collect::<Vec<_>>()
    };
    let (chats, speeches, images) = (of_type("text"), of_type("speech"), of_type("image"));
    assert_eq!(chats.len(), paid.count(Endpoint::Chat));
    assert_eq!(speeches.len(), paid.count(Endpoint::Speech));
    assert_eq!(images.len(), paid.count(Endpoint::Image));
    assert_eq!(chats[0].says("gen_ai.operation.name"), "chat");
    assert_eq!(images[0].says("gen_ai.operation.name"), "generate_content");
    let bought = paid.purchases(Endpoint::Chat, "done").remove(0);
    let (input, output) = bought.tokens;
    assert_eq!(chats[0].says("gen_ai.usage.input_tokens"), input.to_string());
    assert_eq!(chats[0].says("gen_ai.usage.output_tokens"), output.to_string());
    let calls = chats.iter().chain(&speeches).chain(&images);
    assert!(calls.into_iter().all(|call| call.kind == 3 && !call.failed), "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_goes_on_with_the_trace_that_it_was_given() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let collector = Collector::start().await.unwrap();
    let program = Program::stillcast(&paid.server.folder().join("home"))
        .env("REDIS_URL", paid.server.url())
        .env("QUEUE_NAME", QUEUE)
        .env("TRACEPARENT", format!("00-{TRACE}-{SEND}-01"));
    let own = format!(
        r#"{{"source":{{"text":"{TEXT} At noon."}},"format":"audio","traceparent":"{OWN}"}}"#
    );
    let _ = program.run_with(&["enqueue", "--text", "-"], TEXT).await.unwrap().expect(0);
    let _ = program.run_with(&["enqueue", "--json-request", "-"], &own).await.unwrap().expect(0);
    let strange = program.env("TRACEPARENT", "of another kind");
    let _ = strange.run_with(&["enqueue", "--text", "-"], "Rain.").await.unwrap().expect(0);
    let harness = sending(&paid, &collector.endpoint());
    assert_eq!(harness.run(&["--until-empty"]).await.code, 0);
    let spans = collector.spans();
    let processed = named(&spans, &format!("process {QUEUE}"));
    let parents: BTreeSet<(&str, &str)> =
        processed.iter().map(|span| (span.trace.as_str(), span.parent.as_str())).collect();
    assert_eq!(processed.len(), 3, "{processed:#?}");
    let (trace, span) = (&OWN[3..35], &OWN[36..52]);
    assert!(parents.contains(&(TRACE, SEND)), "{parents:?}");
    assert!(parents.contains(&(trace, span)), "a request's own goes first: {parents:?}");
    assert!(parents.iter().any(|(_, parent)| parent.is_empty()), "{parents:?}");
}

#[tokio::test]
async fn a_file_that_is_made_by_hand_is_a_part_of_the_trace_that_its_maker_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start().await.unwrap();
    let program = Program::stillcast(&folder.path().join("home"))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .env("TRACEPARENT", format!("00-{TRACE}-{SEND}-01"));
    let out = folder.path().display().to_string();
    let made = program.run_with(&["make", "--text", "-", "--out", &out], TEXT).await.unwrap();
    let _ = made.expect(0);
    let spans = collector.spans();
    assert!(!named(&spans, "complete upload").is_empty(), "{spans:#?}");
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
    assert_eq!(orphans(&spans, &[SEND]), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_without_a_producer_s_trace_has_one_of_its_own_and_logs_it() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let collector = Collector::start().await.unwrap();
    let harness = sending(&paid, &collector.endpoint()).set("LOG_FORMAT", "json");
    let mut worker = harness.start(&[]).await;
    let jobs =
        ["By day.", "By night."].map(|time| Job::audio(Source::Text(format!("{TEXT} {time}"))));
    let ids = paid.enqueue(&jobs).await;
    paid.done(&ids).await;
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    let spans = collector.spans();
    assert_eq!(orphans(&spans, &[]), []);
    let traces: BTreeMap<&str, &str> = named(&spans, &format!("process {QUEUE}"))
        .iter()
        .map(|span| (span.says("messaging.message.id"), span.trace.as_str()))
        .collect();
    assert_eq!(traces.values().collect::<BTreeSet<_>>().len(), 2, "{traces:?}");
    let log = worker.log();
    for (job, trace) in traces {
        let delivered = log.lines().find(|line| line.contains("delivered") && line.contains(job));
        assert!(delivered.unwrap().contains(&format!(r#""trace_id":"{trace}""#)), "{log}");
    }
}

/// What the worker at `address` has counted of spans that ended in `result`.
async fn counted(address: std::net::SocketAddr, result: &str) -> u64 {
    let line = format!("\nstillcast_spans_total{{queue=\"{QUEUE}\",result=\"{result}\"}} ");
    let page = until("the worker answers", async || get(address, "/metrics").await).await;
    let count = page.split_once(&line).and_then(|(_, rest)| rest.lines().next()?.parse().ok());
    count.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_is_told_once_and_costs_no_job() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let (nobody, address) = (free_address().await, free_address().await);
    let harness =
        sending(&paid, &format!("http://{nobody}")).set("WORKER_ADDR", &address.to_string());
    let mut worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[traced(Format::Video)]).await;
    let record = paid.done(&ids).await.remove(0);
    assert_eq!((record.attempt, record.interruptions), (1, 0), "{record:?}");
    paid.assert_each_bought_once();
    until("spans are lost", async || (counted(address, "failed").await > 0).then_some(())).await;
    assert_eq!(counted(address, "sent").await, 0);
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    assert_eq!(worker.log().matches("does not take spans").count(), 1, "{}", worker.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_holds_back_neither_job_nor_end() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let collector = Collector::start().await.unwrap();
    collector.hold();
    let address = free_address().await;
    let harness = sending(&paid, &collector.endpoint()).set("WORKER_ADDR", &address.to_string());
    let mut worker = harness.start(&[]).await;
    let ids = paid.enqueue(&[traced(Format::Video)]).await;
    // From the first batch on, which comes while the job runs, nobody answers.
    collector.received(0).await;
    let record = paid.done(&ids).await.remove(0);
    assert_eq!((record.attempt, record.interruptions), (1, 0), "{record:?}");
    assert_eq!(counted(address, "sent").await, 0, "nothing was answered yet");
    worker.signal(Signal::SIGTERM);
    assert_eq!(worker.end().await, 0, "{}", worker.log());
    assert!(worker.log().contains("did not take the last spans in time"), "{}", worker.log());
}
