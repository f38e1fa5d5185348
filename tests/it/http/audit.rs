//! Every route that changes a job or the queue leaves its line in the audit, under the token's name.

use std::time::Duration;

use queue::{Actor, BulkAction, BulkAnswer, BulkHolder, BulkOrder, BulkState, Interface, Outcome};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stillcast_enqueue::ErrorReport;

use tests::many::open;
use tests::wait::until;

use crate::support::{ADMIN, Api, request};

/// What changes a job or the queue: method, path, the action of its line.
const CHANGES: [(&str, &str, &str); 9] = [
    ("post", "/v1/jobs/{id}/cancel", "cancel"),
    ("post", "/v1/jobs/{id}/replay", "replay"),
    ("delete", "/v1/jobs/{id}", "purge"),
    ("post", "/v1/jobs/{id}/webhook/resend", "resend-webhook"),
    ("post", "/v1/queue/pause", "pause"),
    ("post", "/v1/queue/resume", "resume"),
    ("post", "/v1/dead/replay", "replay"),
    ("post", "/v1/jobs/bulk", "cancel"),
    ("post", "/v1/bulk/{id}/stop", "stop-bulk"),
];
/// What brings jobs in: their records say when and whose.
const ENQUEUES: [(&str, &str); 2] = [("post", "/v1/jobs"), ("post", "/v1/jobs:batch")];

async fn dead_job(api: &Api) -> String {
    let id = api.enqueue().await;
    let error = ErrorReport::new("voice-unknown", "there is no such voice");
    api.report_next(&id, Outcome::Dead { error }).await;
    id
}

/// A job whose end somebody wants to be told.
async fn untold_job(api: &Api) -> String {
    let mut request = request();
    request["webhook"] = json!("https://example.org/hook");
    let id = api.post("/v1/jobs", &request).await.json()["id"].as_str().unwrap().to_owned();
    let _ = api.send(Method::POST, &format!("/v1/jobs/{id}/cancel"), &[], None).await;
    id
}

/// Plans to cancel a job.
async fn plan(api: &Api) -> Value {
    let id = api.enqueue().await;
    let dry = json!({"action": "cancel", "filter": format!("id:{id}")});
    until("the server knows the job", async || {
        let plan = api.post("/v1/jobs/bulk", &dry).await.json();
        (plan["jobs"] == 1).then(|| json!({"plan": plan["plan"]}))
    })
    .await
}

/// A bulk action at which another server is.
async fn held(api: &Api) -> String {
    let inspector = open(&api.server).await.unwrap();
    let holder = BulkHolder { server: "another".to_owned(), hold: Duration::from_mins(2) };
    until("the other server is first", async || {
        let id = uuid::Uuid::now_v7().to_string();
        let (action, filter) = (BulkAction::Cancel, "id:nobody".to_owned());
        let planned_at = chrono::Utc::now();
        let actor = Actor::new(Interface::Crate, "test");
        let order = BulkOrder { id, action, filter, tenant: None, actor, planned_at };
        inspector.begin_bulk(&order).await.unwrap();
        let jobs = [(1, "nobody".to_owned())];
        let gathered = inspector.gather_bulk(&order.id, &holder, &jobs).await.unwrap();
        (gathered == BulkAnswer::Is(BulkState::Gathering)).then_some(order.id)
    })
    .await
}

/// What must be there before the path changes it; what stands for `{id}`, and the body.
async fn prepare(api: &Api, method: &str, path: &str) -> (Option<String>, Option<Value>) {
    match path {
        "/v1/jobs/bulk" => (None, Some(plan(api).await)),
        "/v1/bulk/{id}/stop" => (Some(held(api).await), None),
        "/v1/jobs/{id}/cancel" => (Some(api.enqueue().await), None),
        "/v1/jobs/{id}/webhook/resend" => (Some(untold_job(api).await), None),
        "/v1/dead/replay" => {
            let job = dead_job(api).await;
            (Some(job.clone()), Some(json!({"ids": [job]})))
        }
        _ if path.ends_with("/replay") || method == "delete" => (Some(dead_job(api).await), None),
        _ => (None, None),
    }
}

async fn newest(api: &Api) -> Value {
    api.get("/v1/audit?limit=1").await.json()["entries"][0].clone()
}

#[tokio::test]
async fn each_route_that_changes_something_has_its_line() {
    let api = Api::start().await;
    let description = api.get("/openapi.json").await.json();
    let mut served = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|method| *method != "get") {
            served.push((method.clone(), path.clone()));
        }
    }
    let known = CHANGES.iter().map(|(method, path, _)| (method, path));
    let known = known.chain(ENQUEUES.iter().map(|(method, path)| (method, path)));
    let mut known: Vec<_> =
        known.map(|(method, path)| ((*method).to_owned(), (*path).to_owned())).collect();
    served.sort();
    known.sort();
    assert_eq!(served, known, "routes that change something (left), those tested here (right)");
    for (method, path, action) in CHANGES {
        let (id, body) = prepare(&api, method, path).await;
        let number = newest(&api).await["number"].as_u64().unwrap_or(0) + 1;
        let place = path.replace("{id}", id.as_deref().unwrap_or_default());
        let method: Method = method.to_uppercase().parse().unwrap();
        let body = body.map(|body| body.to_string());
        let answer = api.send(method, &format!("{place}?why=a%20test"), &[], body).await;
        assert!(answer.status.is_success(), "{answer:?}");
        let job = id.filter(|_| !path.contains("bulk"));
        // What is wished of many jobs has its line once they are found.
        let line = until("its line", async || {
            let line = newest(&api).await;
            (line["number"] == number).then_some(line)
        })
        .await;
        let told = (&line["number"], &line["by"], &line["interface"], &line["action"]);
        let expected = (&json!(number), &json!("loopback"), &json!("api"), &json!(action));
        assert_eq!(told, expected, "{path}: {line}");
        assert_eq!((&line["job"], &line["why"]), (&json!(job), &json!("a test")), "{path}");
        // What is ready again must not be claimed in place of the next one.
        if let Some(job) = job.filter(|_| action == "replay") {
            let _ = api.send(Method::POST, &format!("/v1/jobs/{job}/cancel"), &[], None).await;
        }
    }
}

#[tokio::test]
async fn a_tenant_s_token_sees_what_was_done_to_its_own_jobs() {
    let acme = "acme-0123456789abcdef";
    let tokens = format!("root:{ADMIN}:*:admin acme:{acme}:acme:enqueue+operate");
    let api = Api::start_with(&[("API_TOKENS", &tokens)]).await;
    let bearer = |token: &str| format!("Authorization: Bearer {token}");
    let (root, acme) = (bearer(ADMIN), bearer(acme));
    for tenant in ["other", "acme"] {
        let mut body = request();
        body["tenant"] = json!(tenant);
        let answer = api.send(Method::POST, "/v1/jobs", &[&root], Some(body.to_string())).await;
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/jobs/{id}/cancel");
        assert_eq!(api.send(Method::POST, &path, &[&root], None).await.status, StatusCode::OK);
    }
    let _ = api.send(Method::POST, "/v1/queue/pause", &[&root], None).await;
    let seen = async |bearer: &str| {
        let page = api.send(Method::GET, "/v1/audit", &[bearer], None).await.json();
        let entries = page["entries"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["tenant"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(seen(&root).await, [Value::Null, json!("acme"), json!("other")]);
    assert_eq!(seen(&acme).await, [json!("acme")]);
}

#[tokio::test]
async fn a_reason_that_is_none_is_refused_and_pages_follow_each_other() {
    let api = Api::start().await;
    let long = format!("/v1/queue/pause?why={}", "a".repeat(501));
    let _ = api.send(Method::POST, &long, &[], None).await.problem(400, "invalid-request");
    let _ = api.get("/v1/audit?limit=0").await.problem(400, "invalid-request");
    for word in ["pause", "resume", "pause"] {
        let _ = api.send(Method::POST, &format!("/v1/queue/{word}"), &[], None).await;
    }
    let first = api.get("/v1/audit?limit=2").await.json();
    assert_eq!((&first["entries"][0]["number"], &first["next"]), (&json!(3), &json!(2)));
    let rest = api.get("/v1/audit?limit=2&before=2").await.json();
    assert_eq!((&rest["entries"][0]["number"], &rest["next"]), (&json!(1), &Value::Null));
}
