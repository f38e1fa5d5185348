//! Who serves the API tells of the ends of jobs too: no worker has to run for it.

use std::time::Duration;

use serde_json::Value;
use standardwebhooks::Webhook;
use tests::receiver::{Manner, Received, Receiver};
use tests::wait::look;

use crate::support::{Api, TEXT};

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
}
