//! What a person does with the outbox: looks, and has it handed over again after a loss.

use serde_json::Value;
use tests::program::Program;
use tests::wait::until;

use crate::outbox::{JOB, Office};

/// A server hands over too; a look changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_looks_before_a_lost_queue_is_told_again() {
    let mut office = Office::new().await;
    let stillcast = Program::stillcast(office.redis.folder()).env("REDIS_URL", office.redis.url());
    let _ = stillcast.run(&["outbox", "show"]).await.unwrap().expect(78).saying("set DATABASE_URL");
    let bare = office.content.server.database("bare").await.unwrap();
    let bare = stillcast.clone().env("DATABASE_URL", bare);
    let _ = bare.run(&["outbox", "show"]).await.unwrap().expect(69).saying("stillcast migrate");
    let stillcast = stillcast.env("DATABASE_URL", office.content.server.url("content"));
    let show = async || -> Value {
        stillcast.run(&["outbox", "show", "--json"]).await.unwrap().expect(0).json()
    };
    assert_eq!(show().await["rows"], Value::Array(vec![]));

    for id in ["one", "two"] {
        office.write(Some(id), JOB).await.unwrap();
    }
    let _server = stillcast.clone().unbounded().spawn(&["serve"]).await.unwrap();
    until("the server hands over", async || (office.enqueued() == 2).then_some(())).await;
    office.redis.say(&["FLUSHALL"]).await.unwrap();
    let resend = async |since: &str, more: &[&str]| -> Value {
        let args = [&["outbox", "resend", "--json", "--since", since], more].concat();
        stillcast.run(&args).await.unwrap().expect(0).json()
    };
    let since = "2020-01-01T00:00:00Z";
    let looked = resend(since, &[]).await;
    assert_eq!((&looked["without_end"], &looked["resent"]), (&Value::from(2), &Value::Null));
    let late = resend("2999-01-01T00:00:00Z", &["--yes"]).await;
    assert_eq!((&late["without_end"], &late["resent"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(office.enqueued(), 0, "a look changes nothing");
    assert_eq!(resend(since, &["--yes"]).await["resent"], Value::from(2));
    until("the jobs are back", async || (office.enqueued() == 2).then_some(())).await;
}
