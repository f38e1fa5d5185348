//! Who serves the API tells of the ends of jobs too: no worker has to run for it.

use std::time::Duration;

use serde_json::Value;
use standardwebhooks::Webhook;
use tests::receiver::{Manner, Received, Receiver};
use tests::wait::look;

use crate::support::{Api, TEXT, request};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WAIT: Duration = Duration::from_mins(1);

/// Waits until `number` requests have come.
async fn received(receiver: &Receiver, number: usize) -> Vec<Received> {
    let all = async || Some(receiver.received()).filter(|all| all.len() >= number);
    look(WAIT, all).await.unwrap_or_else(|| panic!("{:?}", receiver.received()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_job_is_told_without_a_worker_and_once_more_on_request() {
    let receiver = Receiver::start(|_| Manner::Take).await.unwrap();
    let secrets = format!("*:{SECRET}");
    let settings = [("WEBHOOK_SECRETS", secrets.as_str()), ("WEBHOOK_ALLOW", "127.0.0.1")];
    let api = Api::start_with(&settings).await;
    let hook = format!("http://127.0.0.1:{}/ends", receiver.port);
    let run = async |args: &[&str]| -> Value {
        api.program.run_with(&[args, &["--json"]].concat(), TEXT).await.unwrap().expect(0).json()
    };
    let enqueued = run(&["enqueue", "--text", "-", "--format", "audio", "--webhook", &hook]).await;
    let id = enqueued["id"].as_str().unwrap();
    run(&["job", "cancel", id]).await;

    let first = received(&receiver, 1).await.remove(0);
    let told: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(
        (told["type"].as_str(), told["data"]["id"].as_str()),
        (Some("job.cancelled"), Some(id))
    );
    let headers = first.headers.iter().map(|(name, value)| {
        (name.parse::<axum::http::HeaderName>().unwrap(), value.parse().unwrap())
    });
    Webhook::new(SECRET).unwrap().verify(first.body.as_bytes(), &headers.collect()).unwrap();
    let delivered = async || {
        let record = run(&["job", "show", id]).await;
        (record["webhook"]["state"] == "delivered").then_some(record)
    };
    let record = look(WAIT, delivered).await.expect("the record says so");
    assert!(!record.to_string().contains(&hook), "{record}");

    run(&["job", "resend-webhook", id]).await;
    let again = received(&receiver, 2).await;
    assert_eq!((again.len(), again[1].id()), (2, first.id()));
    let resent = api.post(&format!("/v1/jobs/{id}/webhook/resend"), &Value::Null).await;
    assert_eq!(resent.json()["answer"], "due");
    let again = received(&receiver, 3).await;
    assert_eq!((again.len(), again[2].id()), (3, first.id()));
}

#[tokio::test]
async fn a_job_that_goes_on_or_that_nobody_asked_of_is_told_to_nobody() {
    let api = Api::start().await;
    let mut wanted = request();
    wanted["webhook"] = "https://example.org/hook".into();
    for (request, code) in [(request(), "no-webhook"), (wanted, "not-ended")] {
        let id = api.post("/v1/jobs", &request).await.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/jobs/{id}/webhook/resend");
        let _ = api.post(&path, &Value::Null).await.problem(409, code);
    }
    let path = "/v1/jobs/nobody/webhook/resend";
    let _ = api.post(path, &Value::Null).await.problem(404, "unknown-job");
    let entries = api.get("/v1/audit").await.json()["entries"].clone();
    assert_eq!(entries, Value::Array(Vec::new()));
}

#[tokio::test]
async fn what_is_owed_and_who_wants_no_more_is_counted() {
    let api = Api::start().await;
    let count = async || {
        let queue = api.get("/v1/queue").await.json();
        let stats: Value = api.program.run(&["queue", "stats", "--json"]).await.unwrap().json();
        let of = |stats: &Value| [stats["webhooks_owed"].clone(), stats["webhooks_off"].clone()];
        assert_eq!(of(&queue), of(&stats));
        of(&queue).map(|count| count.as_u64().unwrap())
    };
    assert_eq!(count().await, [0, 0]);
    let mut wanted = request();
    // Nobody here can sign: it stays owed.
    wanted["webhook"] = "https://example.org/hook".into();
    let id = api.post("/v1/jobs", &wanted).await.json()["id"].as_str().unwrap().to_owned();
    let _ = api.post(&format!("/v1/jobs/{id}/cancel"), &Value::Null).await;
    let mut redis = api.server.connection().await.unwrap();
    let off = ("default https://example.org/gone", 1);
    let _: () = redis::AsyncCommands::hset(&mut redis, "{q:stillcast}:webhooks_off", off.0, off.1)
        .await
        .unwrap();
    assert_eq!(count().await, [1, 1]);
    let words = api.program.run(&["queue", "stats"]).await.unwrap().expect(0).stdout;
    assert!(words.contains("1 owed, 1 endpoints off"), "{words}");
}
