//! Why a job waits, and what the queue did, on a screen and for programs.

use crate::support::CommandHarness;

#[tokio::test]
async fn a_job_says_why_it_waits() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    let shown = harness.run(&["job", "show", &id]).await.expect(0).stdout;
    assert!(shown.contains("waits     No worker has signed on to this queue."), "{shown}");
    assert!(shown.contains("cure      Start a worker"), "{shown}");
    harness.json(&["queue", "pause"]).await;
    let waiting = &harness.json(&["job", "show", &id]).await["waiting"];
    assert_eq!(waiting["code"], "paused");
    harness.json(&["queue", "resume"]).await;
    harness.fail_next(&id).await;
    let ended = harness.json(&["job", "show", &id]).await;
    assert_eq!(ended["waiting"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_history_without_workers_says_so() {
    let harness = CommandHarness::start().await;
    let none = harness.run(&["queue", "history"]).await.expect(0).stdout;
    assert_eq!(none.trim(), "no worker has told anything in this time");
    let history = harness.json(&["queue", "history", "--hours", "24"]).await;
    assert_eq!(history["step_s"], 900);
    let _ = harness.run(&["queue", "history", "--hours", "721"]).await.expect(2);
}
