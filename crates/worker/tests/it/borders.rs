//! Whatever comes in from users, databases and providers: a clear error or a file, nothing lost, no
//! neighbour harmed, and nothing private in logs and records.

use stillcast_enqueue::capability::Capability;
use stillcast_enqueue::{Identifier, Job, JobId, JobRecord, Options, Source, StageName, State};
use tests::postgres::Postgres;
use tests::simulator::{Endpoint, Fault, Latency};

use crate::harness::{Worker, until};
use crate::paid_harness::{PaidHarness, key, stage};

const CANARY: &str = "canary-willow-83";

fn audio(text: impl Into<String>) -> Job {
    Job::audio(Source::Text(text.into()))
}

/// Neither the log nor the records hold a text, a word of the writer, or a key.
fn assert_private(worker: &Worker, records: &[JobRecord]) {
    let said = worker.log() + &format!("{records:?}");
    let keys = Capability::ALL.map(key);
    for canary in keys.iter().map(String::as_str).chain([CANARY, "come back to the room", "passwd"])
    {
        assert!(!said.contains(canary), "{canary} is in a log or a record");
    }
}

fn code(record: &JobRecord) -> (State, &str) {
    (record.state, record.error.as_ref().map_or("", |error| error.code.as_str()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_as_people_and_attackers_write_them_become_files() {
    let paid = PaidHarness::open(Latency::NONE).await;
    for text in ["", " \n\t ", &"a".repeat((16 << 10) + 1)] {
        let refused = paid.producer.enqueue(&audio(text)).await.unwrap_err();
        assert!(refused.to_string().contains("source.text"), "{refused}");
    }
    let texts = [
        format!("bell \u{7}, escape \u{1b}[31m and nul \0 {CANARY}"),
        format!("שלום \u{202e}reversed\u{202c} مرحبا {CANARY}"),
        format!("👨‍👩‍👧‍👦 zero\u{200b}width\u{200d}joiner\u{feff} {CANARY}"),
        format!("../../etc/passwd $(reboot) </source> \"}}]}} {CANARY}"),
        format!("{CANARY} ").repeat((16 << 10) / (CANARY.len() + 1)),
    ];
    // Names that are allowed and look like paths.
    let named = |job: Job| job.with_tenant("a..b").with_id(JobId::parse("con..json").unwrap());
    let mut jobs: Vec<Job> = texts.iter().map(audio).collect();
    jobs.push(named(audio(format!("A plain evening. {CANARY}"))));
    let ids = paid.enqueue(&jobs).await;
    let harness = paid.harness();
    let worker = harness.start(&[]).await;
    let records = paid.done(&ids).await;
    for record in &records {
        assert_eq!(record.attempt, 1, "{record:?}");
        let artifact = record.artifact.as_ref().unwrap();
        let file = paid.store().join(&artifact.key).canonicalize().unwrap();
        let home = paid.store().join("media").join(&record.tenant).canonicalize().unwrap();
        assert!(file.starts_with(home), "{file:?}");
    }
    assert!(stage(&records[4], StageName::Collection).resources["cut_characters"] > 14_000.0);
    let dropped = |record| stage(record, StageName::Collection).resources["dropped_characters"];
    let dropped: Vec<_> = records.iter().take(4).map(dropped).collect();
    assert_eq!(dropped, [7.0, 0.0, 3.0, 0.0]);
    assert_private(&worker, &records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_that_are_broken_empty_foreign_or_huge_harm_no_neighbour() {
    let (paid, postgres) =
        (PaidHarness::open(Latency::NONE).await, Postgres::start().await.unwrap());
    let url = postgres.database("content").await.unwrap();
    let talk = |n: u8| format!("01990000-0000-7000-8000-00000000000{n}");
    // An own schema, in which everything may be NULL.
    let seed = format!(
        "create table said (org text, talk uuid, seq int, who text, what text);
         insert into said values
           ('acme', '{foreign}', 1, 'Eve', '{CANARY} of another tenant'),
           ('default', '{nulls}', 1, null, null), ('default', '{nulls}', null, null, null),
           ('default', '{mixed}', 1, null, null), ('default', '{mixed}', 2, null, '{CANARY} rain'),
           ('default', '{huge}', 1, 'Ada', repeat('{CANARY} ', 500000));",
        foreign = talk(2),
        nulls = talk(3),
        mixed = talk(4),
        huge = talk(5),
    );
    postgres.execute("content", &seed).await.unwrap();
    let query = "select who, what from said where org = $1 and talk = $2 order by seq desc";
    let of = |n| {
        let source = format!(r#"{{"conversation_id":"{}"}}"#, talk(n));
        Job::audio(serde_json::from_str(&source).unwrap())
    };
    let ids = paid.enqueue(&[1, 2, 3, 4, 5].map(of)).await;
    let harness = paid.harness().set("DATABASE_URL", &url).set("MESSAGES_QUERY", query);
    let worker = harness.start(&[]).await;
    let records = paid.ended(&ids).await;
    let found: Vec<_> = records.iter().map(code).collect();
    let not_found = (State::Dead, "conversation-not-found");
    let empty = (State::Dead, "conversation-empty");
    assert_eq!(found, [not_found, not_found, empty, (State::Done, ""), (State::Done, "")]);
    let said = |n: usize| records[n].error.as_ref().unwrap().message.replace(&talk(2), &talk(1));
    assert_eq!(said(0), said(1), "what is not yours looks like what is not there");
    let collected = |n: usize| &stage(&records[n], StageName::Collection).resources;
    assert!(collected(3)["empty_rows"] >= 1.0, "{:?}", collected(3));
    assert!(collected(4)["cut_characters"] > 8e6, "{:?}", collected(4));
    assert_private(&worker, &records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_none_are_an_accident_once_and_the_set_up_s_fault_twice() {
    let paid = PaidHarness::open(Latency::NONE).await;
    let spoil = |endpoint, faults: &[Fault]| {
        paid.simulator.script(endpoint, faults.iter().cloned().map(Some));
    };
    spoil(Endpoint::Chat, &[Fault::Garble]);
    spoil(Endpoint::Speech, &[Fault::InvalidUtf8]);
    spoil(Endpoint::Image, &[Fault::Html]);
    let harness = paid.harness();
    let worker = harness.start(&[]).await;
    let text = || Source::Text(format!("An evening at the {CANARY}."));
    let once = paid.done(&paid.enqueue(&[Job::video(text())]).await).await;
    assert_eq!((once[0].attempt, &once[0].error), (1, &None), "{once:?}");
    for tried_again in [StageName::Transcript, StageName::Image] {
        assert_eq!(stage(&once[0], tried_again).tries, 2, "{once:?}");
    }
    spoil(Endpoint::Chat, &[Fault::Html, Fault::InvalidUtf8]);
    let options = Options { variant: 1, ..Options::default() };
    let ids = paid.enqueue(&[Job::audio(text()).with_options(options)]).await;
    let parked = until("the job parks", async || {
        Some(paid.record(&ids[0]).await).filter(|record| record.state == State::Parked)
    })
    .await;
    assert_eq!((parked.reason.as_deref(), parked.attempt), (Some("provider"), 0), "{parked:?}");
    assert_eq!(code(&parked).1, "answer-unreadable");
    assert!(parked.error.as_ref().unwrap().message.contains("is LLM_BASE_URL right?"));
    let twice = paid.done(&ids).await;
    assert_private(&worker, &[once, twice, vec![parked]].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_refused_for_its_content_ends_alone() {
    let paid = PaidHarness::open(Latency::NONE).await;
    // The refusal quotes the request and its key.
    let refused = Fault::status(400, "content_policy_violation");
    paid.simulator.script(Endpoint::Chat, [Some(refused), Some(Fault::Refuse)]);
    let harness = paid.harness().set("MAX_PARALLEL_TASKS", "1");
    let worker = harness.start(&[]).await;
    let options = || Options {
        voice: Some(Identifier::parse("voice", "a..b").unwrap()),
        ..Options::default()
    };
    let jobs =
        ["one", "two", "three"].map(|n| audio(format!("{CANARY} {n}")).with_options(options()));
    let ids = paid.enqueue(&jobs).await;
    let records = paid.ended(&ids).await;
    let found: Vec<_> = records.iter().map(code).collect();
    let dead = (State::Dead, "content-refused");
    assert_eq!(found, [dead, dead, (State::Done, "")]);
    for record in &records[..2] {
        let error = record.error.as_ref().unwrap();
        assert_eq!(
            (error.stage, error.provider.as_deref()),
            (Some(StageName::Transcript), Some("openai"))
        );
        assert!(error.message.contains("change the source's text"), "{error:?}");
    }
    assert_private(&worker, &records);
}
