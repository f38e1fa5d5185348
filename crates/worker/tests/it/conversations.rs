//! Conversations and texts wait in one queue, and only some workers have a database.

use stillcast_enqueue::{Job, Source, StageName, State};
use tests::postgres::Postgres;
use tests::simulator::Latency;

use crate::harness::{free_address, get, until};
use crate::paid_harness::{PaidHarness, stage};

const CONVERSATION: &str = "01990000-0000-7000-8000-000000000007";
const CANARY: &str = "canary-orchard-58";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_a_database_goes_on_with_texts_and_leaves_conversations_to_another() {
    let (paid, postgres) =
        (PaidHarness::open(Latency::NONE).await, Postgres::start().await.unwrap());
    let url = postgres.database("content").await.unwrap();
    providers::postgres::migrate(&url).await.unwrap();
    let seed = format!(
        "insert into conversations (id, tenant, title) values ('{CONVERSATION}', 'default', 'An evening');
         insert into messages values (gen_random_uuid(), '{CONVERSATION}', 1, 'user', 'At the {CANARY}.');"
    );
    postgres.execute("content", &seed).await.unwrap();
    // Conversations go first, so that each text is claimed behind a job that this worker cannot do.
    let source: Source =
        serde_json::from_str(&format!(r#"{{"conversation_id":"{CONVERSATION}"}}"#)).unwrap();
    let talk = || Job::audio(source.clone()).with_priority(9);
    let talks = paid.enqueue(&[talk(), talk(), talk()]).await;
    let text = || Job::audio(Source::Text("A heron stood in the river.".to_owned()));
    let address = free_address().await;
    let without = paid.harness().set("WORKER_ADDR", &address.to_string());
    let lacking = without.start(&[]).await;
    let parked = until("a conversation parks", async || {
        paid.records(&talks).await.into_iter().find(|record| record.state == State::Parked)
    })
    .await;
    assert_eq!((parked.reason.as_deref(), parked.attempt), (Some("provider"), 0), "{parked:?}");
    let error = parked.error.unwrap();
    assert_eq!(error.code, "database-missing");
    assert!(error.message.contains("set DATABASE_URL"), "{error:?}");
    for _ in 0..5 {
        paid.done(&paid.enqueue(&[text(), text()]).await).await;
    }
    let page = get(address, "/metrics").await.unwrap();
    assert!(page.contains("\nstillcast_breaker_open{queue=\"worker-tests\"} 0\n"), "{page}");
    assert!(!lacking.log().contains("refuses this worker's account"), "{}", lacking.log());
    for record in paid.records(&talks).await {
        assert!(!record.state.is_terminal() && record.attempt <= 1, "{record:?}");
    }
    let with = paid.harness().set("DATABASE_URL", &url);
    let equipped = with.start(&[]).await;
    for record in paid.done(&talks).await {
        assert_eq!(record.attempt, 1, "{record:?}");
        let collected = stage(&record, StageName::Collection);
        assert_eq!(collected.provider.as_deref(), Some("postgres"), "{record:?}");
    }
    for worker in [lacking, equipped] {
        assert!(!worker.log().contains(CANARY), "a log holds private text");
    }
}
