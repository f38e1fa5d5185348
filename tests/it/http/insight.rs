//! What a caller sees of a queue: why a job waits, and what the queue did.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::Api;

#[tokio::test]
async fn a_job_says_why_it_waits_beside_its_record() {
    let api = Api::start().await;
    let id = api.enqueue().await;
    let path = format!("/v1/jobs/{id}");
    let first = api.get(&path).await;
    let waiting = &first.json()["waiting"];
    assert_eq!(waiting["code"], "no-worker", "{first:?}");
    assert!(waiting["cure"].as_str().unwrap().contains("stillcast-worker"), "{waiting}");
    assert_eq!(first.json()["eta"], Value::Null, "nobody could do it");
    let _ = api.send(Method::POST, "/v1/queue/pause", &[], None).await;
    let paused = api.get(&path).await;
    assert_eq!(paused.json()["waiting"]["code"], "paused");
    assert!(paused.json()["waiting"]["since"].is_string());
    assert_eq!(first.header("etag"), paused.header("etag"), "the record is the same");
    let has = format!("If-None-Match: {}", first.header("etag"));
    let same = api.send(Method::GET, &path, &[&has], None).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    let _ = api.send(Method::POST, &format!("{path}/cancel"), &[], None).await;
    let ended = api.get(&path).await.json();
    assert_eq!((&ended["state"], &ended["waiting"]), (&json!("cancelled"), &Value::Null));
    let listed = api.get("/v1/jobs").await.json();
    assert_eq!(listed["jobs"][0]["waiting"], Value::Null, "only where one job is asked for");
}

#[tokio::test]
async fn the_history_of_a_queue_without_workers_is_empty_and_its_span_is_bounded() {
    let api = Api::start().await;
    for (hours, step) in [(1, 60), (72, 900), (720, 7200)] {
        let history = api.get(&format!("/v1/queue/history?hours={hours}")).await.json();
        assert_eq!((&history["step_s"], &history["slots"]), (&json!(step), &json!([])));
        assert_eq!(history["total"]["jobs"]["done"], 0, "{history}");
    }
    assert_eq!(api.get("/v1/queue/history").await.json()["step_s"], 60);
    for odd in ["0", "721", "x"] {
        let answer = api.get(&format!("/v1/queue/history?hours={odd}")).await;
        let _ = answer.problem(400, "invalid-request");
    }
    assert_eq!(api.get("/v1/queue").await.json()["empty_in"], json!({"from_s": 0.0, "to_s": 0.0}));
}
