//! What is wrong with a request is told by its place, all of it at once, and nothing is written.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Api, request};

/// Method, path, headers, body; the status, the problem, and the pointers of its errors.
type Row<'row> =
    (Method, &'row str, &'row [&'row str], Option<String>, u16, &'row str, &'row [&'row str]);

#[tokio::test]
async fn each_fault_is_told_by_its_place() {
    let api = Api::start().await;
    let with = |field: &str, value: Value| {
        let mut body = request();
        body[field] = value;
        Some(body.to_string())
    };
    let fine = || Some(request().to_string());
    let many = json!({"format": "film", "priority": 10, "options": {"voice": 7}}).to_string();
    let long =
        json!({"source": {"text": "a".repeat(16 * 1024 + 1)}, "format": "audio"}).to_string();
    let rows: Vec<Row<'_>> = vec![
        (Method::POST, "/v1/jobs", &[], Some("{".into()), 400, "invalid-request", &[""]),
        (Method::POST, "/v1/jobs", &[], Some(String::new()), 400, "invalid-request", &[""]),
        (
            Method::POST,
            "/v1/jobs",
            &[],
            with("tenant", json!("a/b")),
            400,
            "invalid-request",
            &["/tenant"],
        ),
        (
            Method::POST,
            "/v1/jobs",
            &[],
            with("colour", json!(1)),
            400,
            "invalid-request",
            &["/colour"],
        ),
        (
            Method::POST,
            "/v1/jobs",
            &[],
            Some(many),
            400,
            "invalid-request",
            &["/source", "/format", "/options/voice", "/priority"],
        ),
        (Method::POST, "/v1/jobs", &[], Some(long), 400, "invalid-request", &["/source/text"]),
        (Method::POST, "/v1/jobs", &[], Some("x".repeat(200 << 10)), 413, "too-large", &[]),
        (
            Method::POST,
            "/v1/jobs",
            &["content-type: text/plain"],
            fine(),
            415,
            "media-type-refused",
            &[],
        ),
        (
            Method::POST,
            "/v1/jobs",
            &["idempotency-key: a b"],
            fine(),
            400,
            "invalid-request",
            &["Idempotency-Key"],
        ),
        (Method::POST, "/v1/jobs?wait=61", &[], fine(), 400, "invalid-request", &["?wait"]),
        (Method::POST, "/v1/jobs?wait=soon", &[], fine(), 400, "invalid-request", &["?"]),
        (Method::GET, "/v1/jobs?state=happy", &[], None, 400, "invalid-request", &["?"]),
        (Method::GET, "/v1/jobs?stat=dead", &[], None, 400, "invalid-request", &["?"]),
        (Method::GET, "/v1/jobs?limit=0", &[], None, 400, "invalid-request", &["?limit"]),
        (Method::GET, "/v1/jobs?limit=501", &[], None, 400, "invalid-request", &["?limit"]),
        (Method::GET, "/v1/jobs?cursor=ready~1~x", &[], None, 400, "invalid-request", &["?cursor"]),
        (Method::POST, "/v1/dead/replay", &[], Some("{}".into()), 400, "invalid-request", &[""]),
        (
            Method::POST,
            "/v1/dead/replay",
            &[],
            Some("{\"ids\":[]}".into()),
            400,
            "invalid-request",
            &["/ids"],
        ),
        (Method::PUT, "/v1/jobs", &[], fine(), 405, "method-refused", &[]),
        (Method::GET, "/v2/jobs", &[], None, 404, "unknown-path", &[]),
        (Method::GET, "/v1/jobs/nobody", &[], None, 404, "unknown-job", &[]),
        (Method::GET, "/v1/jobs/nobody/events", &[], None, 404, "unknown-job", &[]),
        (Method::GET, "/v1/jobs/nobody/artifact", &[], None, 404, "unknown-job", &[]),
        (Method::GET, "/problems/nothing", &[], None, 404, "unknown-path", &[]),
    ];
    for (method, path, headers, body, status, code, pointers) in rows {
        let told = format!("{method} {path} {headers:?}");
        let problem = api.send(method, path, headers, body).await.problem(status, code);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let found: Vec<&str> =
            errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{told}: {problem}");
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
