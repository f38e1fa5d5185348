//! What is wrong with a request is told by its place, all of it at once, and nothing is written.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Api, request};

/// Method and path; a header; a field of the body and what stands in it; status, code and pointers.
const FIELDS: [(&str, &str, &str, &str); 8] = [
    ("POST /v1/jobs", "tenant", "\"a/b\"", "400 invalid-request /tenant"),
    ("POST /v1/jobs", "colour", "1", "400 invalid-request /colour"),
    ("POST /v1/jobs", "priority", "10", "400 invalid-request /priority"),
    ("POST /v1/jobs", "format", "\"film\"", "400 invalid-request /format"),
    ("POST /v1/jobs", "options", "{\"voice\": 7}", "400 invalid-request /options/voice"),
    ("POST /v1/jobs", "source", "{}", "400 invalid-request /source"),
    ("POST /v1/jobs?wait=61", "priority", "5", "400 invalid-request ?wait"),
    ("POST /v1/jobs?wait=soon", "priority", "5", "400 invalid-request ?"),
];

/// Method and path; a whole body, where there is one; status, code and pointers.
const WHOLE: [(&str, Option<&str>, &str); 19] = [
    ("POST /v1/jobs", Some("{"), "400 invalid-request body"),
    ("POST /v1/jobs", Some(""), "400 invalid-request body"),
    ("POST /v1/jobs", Some("{\"priority\": 10}"), "400 invalid-request /source /format /priority"),
    ("POST /v1/jobs:batch", Some("[]"), "400 invalid-request body"),
    ("POST /v1/dead/replay", Some("{}"), "400 invalid-request body"),
    ("POST /v1/dead/replay", Some("{\"ids\": []}"), "400 invalid-request /ids"),
    ("GET /v1/jobs?state=happy", None, "400 invalid-request ?"),
    ("GET /v1/jobs?stat=dead", None, "400 invalid-request ?"),
    ("GET /v1/jobs?limit=0", None, "400 invalid-request ?limit"),
    ("GET /v1/jobs?limit=501", None, "400 invalid-request ?limit"),
    ("GET /v1/jobs?cursor=ready~1~x", None, "400 invalid-request ?cursor"),
    ("PUT /v1/jobs", Some("{}"), "405 method-refused"),
    ("GET /v2/jobs", None, "404 unknown-path"),
    ("GET /problems/nothing", None, "404 unknown-path"),
    ("GET /v1/jobs/nobody", None, "404 unknown-job"),
    ("GET /v1/jobs/nobody/events", None, "404 unknown-job"),
    ("GET /v1/jobs/nobody/artifact", None, "404 unknown-job"),
    ("GET /v1/jobs/nobody/transcript", None, "404 unknown-job"),
    ("DELETE /v1/jobs/nobody", None, "404 unknown-job"),
];

async fn assert_refused(
    api: &Api,
    call: &str,
    headers: &[&str],
    body: Option<String>,
    outcome: &str,
) {
    let (method, path) = call.split_once(' ').unwrap();
    let mut wanted = outcome.split(' ');
    let (status, code) = (wanted.next().unwrap().parse().unwrap(), wanted.next().unwrap());
    let wanted: Vec<&str> = wanted.map(|at| if at == "body" { "" } else { at }).collect();
    let answer = api.send(method.parse().unwrap(), path, headers, body).await;
    let problem = answer.problem(status, code);
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let found: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(found, wanted, "{call} {headers:?}: {problem}");
}

#[tokio::test]
async fn each_fault_is_told_by_its_place() {
    let api = Api::start().await;
    for (call, field, value, outcome) in FIELDS {
        let mut body = request();
        body[field] = serde_json::from_str(value).unwrap();
        assert_refused(&api, call, &[], Some(body.to_string()), outcome).await;
    }
    for (call, body, outcome) in WHOLE {
        assert_refused(&api, call, &[], body.map(str::to_owned), outcome).await;
    }
    let fine = || Some(request().to_string());
    let long = json!({"source": {"text": "a".repeat(16 * 1024 + 1)}, "format": "audio"});
    for (header, body, outcome) in [
        ("accept: */*", Some(long.to_string()), "400 invalid-request /source/text"),
        ("accept: */*", Some("x".repeat(200 << 10)), "413 too-large"),
        ("content-type: text/plain", fine(), "415 media-type-refused"),
        ("idempotency-key: a b", fine(), "400 invalid-request Idempotency-Key"),
    ] {
        assert_refused(&api, "POST /v1/jobs", &[header], body, outcome).await;
    }
    assert_eq!(api.get("/v1/queue").await.json()["enqueued"], 0, "nothing was written");
}

#[tokio::test]
async fn the_type_of_every_problem_opens_a_page() {
    let api = Api::start().await;
    for code in api::codes() {
        let page = api.get(&format!("/problems/{code}")).await;
        assert_eq!(page.status, StatusCode::OK, "{code}");
        assert!(page.header("content-type").starts_with("text/html") && page.text.contains(code));
    }
}

#[tokio::test]
async fn a_request_keeps_its_name_unless_it_could_spoil_the_log() {
    let api = Api::start().await;
    let named = async |name: &str| {
        let header = format!("x-request-id: {name}");
        let answer = api.send(Method::GET, "/v1/queue", &[&header], None).await;
        answer.header("x-request-id").to_owned()
    };
    assert_eq!(named("checkout-7").await, "checkout-7");
    for odd in ["a b", "a\"b", &"a".repeat(129)] {
        let given = named(odd).await;
        assert_eq!(given.len(), 36, "{odd}: {given}");
    }
}

#[tokio::test]
async fn a_redis_that_is_away_is_said_and_over_when_it_is_back() {
    let mut api = Api::start().await;
    api.server.kill().await.unwrap();
    let _ = api.post("/v1/jobs", &request()).await.problem(503, "queue-away");
    let _ = api.get("/v1/jobs/some-job").await.problem(503, "queue-away");
    let _ = api.get("/readyz").await.problem(503, "queue-away");
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
    api.server.resume().await.unwrap();
    let _ = api.enqueue().await;
}
