//! One job from the enqueue to the purge, and the queue as a whole, as an operator sees them.

use queue::{Endpoint, Inspector};
use redis::AsyncCommands;
use stillcast_enqueue::{JobRecord, State};
use tests::program::{ended, first_line};

use crate::support::CommandHarness;

#[tokio::test]
async fn a_job_is_enqueued_shown_listed_cancelled_and_purged() {
    let harness = CommandHarness::start().await;
    let options = ["--format", "video", "--priority", "7", "--metadata", "episode=9"];
    let id = harness.enqueue(&options).await;
    let shown: JobRecord = harness.run(&["job", "show", &id, "--json"]).await.expect(0).json();
    assert_eq!((shown.state, shown.priority), (State::Ready, 7));
    assert_eq!(shown.metadata["episode"], "9");
    let words = harness.run(&["job", "show", &id]).await.expect(0).stdout;
    assert!(words.contains("state     ready\n") && words.contains("format    video\n"), "{words}");
    let listed = harness.json(&["jobs", "--state", "ready"]).await;
    assert_eq!((&listed["jobs"][0]["id"], &listed["next"]), (&id.clone().into(), &().into()));

    let refused = harness.run(&["job", "purge", &id]).await.expect(1).saying("cancel it first");
    assert_eq!(refused.stdout, "");
    assert_eq!(harness.json(&["job", "cancel", &id]).await["answer"], "cancelled");
    assert_eq!(harness.json(&["job", "cancel", &id]).await["answer"], "already");
    let file = harness.file_of(&id);
    assert_eq!(harness.json(&["job", "purge", &id]).await["answer"], "purged");
    assert!(!file.exists());
    let _ = harness.run(&["job", "show", &id]).await.expect(1).saying("there is no job");
    assert_eq!(harness.json(&["jobs"]).await["jobs"], serde_json::json!([]));
}

#[tokio::test]
async fn requested_options_are_what_a_worker_reads() {
    let harness = CommandHarness::start().await;
    let options = ["--voice", "slt", "--language", "pt-BR", "--variant", "3", "--tenant", "acme"];
    let id = harness.enqueue(&options).await;
    let body = harness.server.keys(&format!("*:body:{id}")).await.unwrap();
    let body: String = harness.server.connection().await.unwrap().get(&body[0]).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let requested = serde_json::json!({ "voice": "slt", "language": "pt-BR", "variant": 3 });
    assert_eq!(body["options"], requested);
    assert_eq!(harness.json(&["job", "show", &id]).await["tenant"], "acme");
}

#[tokio::test]
async fn a_repeated_request_is_the_same_job() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&["--idempotency-key", "evening9"]).await;
    let again = harness.json(&["enqueue", "--text", "-", "--idempotency-key", "evening9"]).await;
    assert_eq!((&again["id"], &again["duplicate"]), (&id.into(), &true.into()));
    let other = ["enqueue", "--text", "-", "--idempotency-key", "evening9", "--format", "video"];
    let _ = harness.run(&other).await.expect(1).saying("another request");
}

#[tokio::test]
async fn a_whole_request_comes_as_json() {
    let harness = CommandHarness::start().await;
    let request = harness.server.folder().join("request.json");
    let json = r#"{"source":{"text":"Rain."},"format":"audio","tenant":"acme","max_attempts":2,
        "run_at":"2999-01-01T00:00:00Z"}"#;
    std::fs::write(&request, json).unwrap();
    let path = request.to_str().unwrap();
    let accepted = harness.json(&["enqueue", "--json-request", path]).await;
    assert_eq!(accepted["state"], "delayed");
    let id = accepted["id"].as_str().unwrap();
    let record = harness.json(&["job", "show", id]).await;
    assert_eq!((&record["tenant"], &record["max_attempts"]), (&"acme".into(), &2.into()));
    std::fs::write(&request, r#"{"format":"audio","colour":1}"#).unwrap();
    let _ = harness.run(&["enqueue", "--json-request", path]).await.expect(2).saying("colour");
    let both = ["enqueue", "--json-request", path, "--priority", "3"];
    let _ = harness.run(&both).await.expect(2);
}

#[tokio::test]
async fn stats_say_what_the_indexes_hold() {
    let harness = CommandHarness::start().await;
    for _ in 0..3 {
        harness.enqueue(&[]).await;
    }
    harness.enqueue(&["--run-at", "2999-01-01T00:00:00Z"]).await;
    let stats = harness.json(&["queue", "stats"]).await;
    let mut redis = harness.server.connection().await.unwrap();
    let ready: u64 = redis.zcard("{q:stillcast}:ready").await.unwrap();
    assert_eq!((&stats["depth"], ready), (&3.into(), 3));
    assert_eq!((&stats["states"]["delayed"], &stats["enqueued"]), (&1.into(), &4.into()));
    assert_eq!((&stats["queue"], &stats["paused"]), (&"stillcast".into(), &false.into()));
    assert!(stats["oldest_s"].as_f64().is_some());
}

#[tokio::test]
async fn a_queue_is_paused_and_resumed() {
    let harness = CommandHarness::start().await;
    let moved =
        |paused: bool, changed: bool| serde_json::json!({ "paused": paused, "changed": changed });
    assert_eq!(harness.json(&["queue", "pause"]).await, moved(true, true));
    assert_eq!(harness.json(&["queue", "pause"]).await, moved(true, false));
    assert_eq!(harness.json(&["queue", "stats"]).await["paused"], true);
    assert_eq!(harness.json(&["queue", "resume"]).await, moved(false, true));
    assert_eq!(harness.json(&["queue", "stats"]).await["paused"], false);
}

#[tokio::test]
async fn a_sound_queue_is_told_from_a_broken_one() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    let sound = harness.json(&["queue", "verify"]).await;
    assert_eq!((&sound["violations"], &sound["jobs"]), (&serde_json::json!([]), &1.into()));
    let mut redis = harness.server.connection().await.unwrap();
    let _: () = redis.zrem("{q:stillcast}:ready", &id).await.unwrap();
    let broken = harness.run(&["queue", "verify", "--json"]).await.expect(1).saying("violated");
    let broken: serde_json::Value = broken.json();
    let blamed = broken["violations"].as_array().unwrap();
    assert!(blamed.iter().any(|violation| violation["id"] == id), "{broken}");
    let words = harness.run(&["queue", "verify"]).await.expect(1).stdout;
    assert!(words.starts_with("rule") && words.contains(&id), "{words}");
}

#[tokio::test]
async fn a_list_comes_in_pages_in_the_order_of_turns() {
    let harness = CommandHarness::start().await;
    let mut expected = Vec::new();
    for priority in ["9", "8", "7", "5", "2"] {
        expected.push(harness.enqueue(&["--priority", priority]).await);
    }
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut args = vec!["jobs", "--state", "ready", "--limit", "2"];
        args.extend(cursor.iter().flat_map(|cursor| ["--cursor", cursor.as_str()]));
        let page = harness.json(&args).await;
        let jobs = page["jobs"].as_array().unwrap();
        found.extend(jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()));
        // Whoever leaves meanwhile takes no place of others along.
        if cursor.is_none() {
            harness.json(&["job", "cancel", &expected[1]]).await;
        }
        cursor = page["next"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_change_is_announced() {
    let harness = CommandHarness::start().await;
    let endpoint = Endpoint::new(&harness.server.url(), "stillcast").unwrap();
    let inspector = Inspector::connect(endpoint).await.unwrap();
    let mut announcements = inspector.announcements().await.unwrap();
    let id = harness.enqueue(&[]).await;
    harness.json(&["job", "cancel", &id]).await;
    for word in ["ready", "cancelled"] {
        let heard = announcements.next().await.unwrap();
        assert_eq!((&heard.id, heard.word.as_str()), (&id, word));
    }
}

#[tokio::test]
async fn a_watch_ends_with_its_job() {
    let harness = CommandHarness::start().await;
    let id = harness.enqueue(&[]).await;
    let mut watch = harness.program.spawn(&["job", "watch", &id, "--json"]).await.unwrap();
    let seen: JobRecord = serde_json::from_str(&first_line(&mut watch).await.unwrap()).unwrap();
    assert_eq!(seen.state, State::Ready);
    harness.json(&["job", "cancel", &id]).await;
    let watched = ended(watch).await.unwrap().expect(1).saying("it is cancelled");
    let last: JobRecord = serde_json::from_str(watched.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last.state, State::Cancelled);
}
