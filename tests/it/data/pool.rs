//! The one pool under jobs that fail, are cancelled, or meet a server that is away.

use std::time::Duration;

use pipeline::{FailureClass, SourceStore};
use providers::postgres::{PostgresSources, Queries};
use sqlx::Row;
use tests::wait::until;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::{Content, TASKS};

/// Sleeps in the server until somebody gives up.
const SLOW: &str = "select pg_sleep(60)::text, $1 || $2::text";
const LOADS: u64 = 500;

/// Connections that the server holds for the worker: all, and those in a query.
async fn sessions(content: &Content) -> (i64, i64) {
    let counted = sqlx::query(
        "select count(*), count(*) filter (where state <> 'idle') from pg_stat_activity
         where application_name = 'worker-under-test'",
    );
    let row = counted.fetch_one(&mut content.connection().await).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_and_cancelled_loads_leave_the_pool_as_it_was() {
    let content = Content::new().await;
    let id = content.converse("acme", &[("user", "Still here.")]).await;
    let before = content.text("acme", id).await.unwrap();
    let slow = Queries::of(SLOW, None).unwrap();
    let broken = Queries::of("select 1 / length($1), $2::text", None).unwrap();
    let mut loads = JoinSet::new();
    for turn in 0..LOADS {
        let queries = if turn % 2 == 0 { broken.clone() } else { slow.clone() };
        let sources = PostgresSources::new(content.database.clone(), queries);
        // Dropped in the queue for a connection, while connecting, or in the middle of the query.
        let patience = Duration::from_millis(turn % 50);
        loads.spawn(async move { timeout(patience, sources.load("", id)).await.map(drop) });
    }
    assert_eq!(loads.join_all().await.len(), 500);
    let most = i64::try_from(TASKS + 2).unwrap();
    until("the pool is as it was", async || {
        let (all, busy) = sessions(&content).await;
        assert!(all <= most, "{all} connections");
        (busy == 0).then_some(())
    })
    .await;
    assert!(i64::from(content.database.connections()) <= most);
    // As many at once as the pool is large, and again: none was lost.
    for _ in 0..2 {
        let again = (0..TASKS + 2).map(|_| content.text("acme", id));
        for text in futures::future::join_all(again).await {
            assert_eq!(text.as_ref(), Ok(&before));
        }
    }
    let (all, busy) = sessions(&content).await;
    assert!(all <= most && busy == 0, "{all} connections, {busy} busy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loads_wait_for_a_server_that_is_away_and_go_on() {
    let mut content = Content::new().await;
    let id = content.converse("acme", &[("user", "Still here.")]).await;
    let before = content.text("acme", id).await.unwrap();
    content.server.stop().await.unwrap();
    let stopped = tokio::time::Instant::now();
    let sources = content.sources();
    let error = sources.load("acme", id).await.unwrap_err();
    assert_eq!(error.code, "database-away");
    let FailureClass::Transient { retry_after: Some(wait) } = error.failure else {
        panic!("a job waits parked, without using an attempt: {error:?}")
    };
    assert!(wait > Duration::from_secs(2), "longer than the back-off of the stage: {wait:?}");
    // Ten seconds are the contract's; what happens meanwhile is only that loads fail.
    while stopped.elapsed() < Duration::from_secs(10) {
        let error = sources.load("acme", id).await.unwrap_err();
        assert!(matches!(error.failure, FailureClass::Transient { .. }), "{error:?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    content.server.resume().await.unwrap();
    assert_eq!(content.text("acme", id).await, Ok(before));
}

#[tokio::test]
async fn a_database_that_refuses_us_is_a_setting_to_mend() {
    let content = Content::new().await;
    let nowhere = content.server.url("no_such_database");
    let database = providers::postgres::Database::open(&nowhere, "test", 1).unwrap();
    let sources = PostgresSources::new(database, Queries::default());
    let error = sources.load("acme", Uuid::now_v7()).await.unwrap_err();
    assert_eq!((error.code, error.failure), ("database-refused", FailureClass::Misconfigured));
    assert!(content.database.probe().await.unwrap().contains("database content"));
}
