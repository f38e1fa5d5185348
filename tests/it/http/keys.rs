//! A key stands for one request: whatever became of the first try, it stays one job.

use std::collections::HashSet;

use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Api, request};

#[tokio::test]
async fn the_same_key_is_the_same_job_and_another_request_is_refused() {
    let api = Api::start().await;
    let keyed = ["Idempotency-Key: \"evening-9\""];
    let send = || api.send(Method::POST, "/v1/jobs", &keyed, Some(request().to_string()));
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::ACCEPTED, ""));
    assert_eq!(
        (second.status, second.header("idempotent-replayed")),
        (StatusCode::ACCEPTED, "true")
    );
    assert_eq!(first.json()["id"], second.json()["id"]);
    let mut other = request();
    other["format"] = json!("video");
    let refused = api.send(Method::POST, "/v1/jobs", &keyed, Some(other.to_string())).await;
    let _ = refused.problem(422, "key-mismatch");
    let mut both = request();
    both["idempotency_key"] = json!("evening-8");
    let refused = api.send(Method::POST, "/v1/jobs", &keyed, Some(both.to_string())).await;
    assert_eq!(refused.problem(400, "invalid-request")["errors"][0]["pointer"], "Idempotency-Key");
    assert_eq!(api.get("/v1/queue").await.json()["enqueued"], 1);
}

/// Callers that send again before they are answered, a hundred at once: each key is one job, and
/// whoever is told to come back has lost nothing.
#[tokio::test]
async fn a_hundred_callers_at_once_make_one_job_a_key() {
    let api = Api::start().await;
    let send = async |key: usize| {
        let key_header = format!("Idempotency-Key: key-{key}");
        let body = Some(request().to_string());
        let answer = api.send(Method::POST, "/v1/jobs", &[&key_header], body).await;
        if answer.status == StatusCode::CONFLICT {
            let _ = answer.problem(409, "key-in-flight");
            return (key, None);
        }
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        (key, Some(answer.json()["id"].as_str().unwrap().to_owned()))
    };
    let calls = futures::stream::iter((0..1_000).map(|number| send(number % 50)));
    let answers: Vec<(usize, Option<String>)> = calls.buffer_unordered(100).collect().await;
    let known: HashSet<(usize, String)> =
        answers.into_iter().filter_map(|(key, id)| Some((key, id?))).collect();
    assert_eq!(known.len(), 50, "one job a key");
    assert_eq!(api.get("/v1/queue").await.json()["enqueued"], 50);
}
