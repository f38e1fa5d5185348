//! Two servers watch one queue, and tell a real receiver of what needs people: once a change.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use stillcast_enqueue::keys::Keys;
use tests::program::Program;
use tests::receiver::{Manner, Received, Receiver};
use tests::wait::until;

use crate::support::{Api, dead, serve};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(KEY))
}

/// One more server of the same queue, which tells `receiver`.
fn telling(api: &Api, receiver: &Receiver) -> Program {
    let url = format!("http://127.0.0.1:{}/on-duty?key=canary", receiver.port);
    let program = api.program.clone().env("ALERT_WEBHOOK_URL", url);
    program.env("ALERT_WEBHOOK_SECRET", secret())
}

/// What was taken of one alert, checked by a foreign library; each message once.
fn taken(receiver: &Receiver, name: &str) -> Vec<(String, Value)> {
    let webhook = Webhook::new(&secret()).unwrap();
    let received: Vec<Received> =
        receiver.received().into_iter().filter(Received::is_taken).collect();
    let mut ids = BTreeSet::new();
    let mut told = Vec::new();
    for one in received {
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in &one.headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        webhook.verify(one.body.as_bytes(), &headers).unwrap();
        assert!(ids.insert(one.id().to_owned()), "{} was taken twice", one.id());
        let body: Value = serde_json::from_str(&one.body).unwrap();
        if body["data"]["name"] == name {
            told.push((body["type"].as_str().unwrap().to_owned(), body["data"].clone()));
        }
    }
    told
}

async fn until_told(receiver: &Receiver, name: &str, count: usize) -> Vec<(String, Value)> {
    until(&format!("{name} was told {count} times"), async || {
        let told = taken(receiver, name);
        (told.len() >= count).then_some(told)
    })
    .await
}

/// Refuses each message once, and then takes so long that another server has its turn meanwhile.
fn refusing(nth: usize) -> Manner {
    if nth == 1 { Manner::Refuse(503) } else { Manner::TakeLate }
}

/// The worker that has reported leaves.
async fn signs_off(api: &Api) {
    let workers = Keys::new("stillcast").unwrap().named("workers");
    api.server.say(&["DEL", &workers]).await.unwrap();
}

#[tokio::test]
async fn two_servers_tell_once_of_each_change_and_the_one_that_is_left_goes_on() {
    const WORKERS: &str = "StillcastNoWorkers";
    const DEAD: &str = "StillcastDeadLetters";
    let receiver = Receiver::start(refusing).await.unwrap();
    let api = Api::start().await;
    let program = telling(&api, &receiver);
    let (first, _) = serve(&program).await;
    until("the first one watches", async || {
        let keys = api.server.keys("*:alerts_by").await.ok()?;
        (keys.len() == 1).then_some(())
    })
    .await;
    let (_second, _) = serve(&program).await;

    let id = api.enqueue().await;
    let told = until_told(&receiver, WORKERS, 1).await;
    let (word, data) = &told[0];
    assert_eq!((word.as_str(), &data["severity"]), ("alert.firing", &json!("page")));
    assert_eq!(data["queue"], "stillcast");
    assert_eq!(data["runbook_url"], "deploy/RUNBOOK.md#stillcastnoworkers");
    assert!(data["since"].is_string(), "{data}");
    api.report_next(&id, dead()).await;
    assert_eq!(until_told(&receiver, WORKERS, 2).await[1].0, "alert.resolved");
    assert_eq!(until_told(&receiver, DEAD, 1).await[0].0, "alert.firing");

    // The other one goes on from what was told.
    drop(first);
    signs_off(&api).await;
    let _ = api.enqueue().await;
    assert_eq!(until_told(&receiver, WORKERS, 3).await[2].0, "alert.firing");
    assert_eq!((taken(&receiver, WORKERS).len(), taken(&receiver, DEAD).len()), (3, 1));
}

#[tokio::test]
async fn a_queue_that_is_out_of_reach_is_told_and_so_is_its_return() {
    const NAME: &str = "StillcastQueueUnreachable";
    let receiver = Receiver::start(refusing).await.unwrap();
    let mut api = Api::start().await;
    let (_serving, _) = serve(&telling(&api, &receiver)).await;
    api.server.kill().await.unwrap();
    assert_eq!(until_told(&receiver, NAME, 1).await[0].0, "alert.firing");
    api.server.resume().await.unwrap();
    assert_eq!(until_told(&receiver, NAME, 2).await[1].0, "alert.resolved");
}

#[tokio::test]
async fn an_address_without_a_key_is_refused_and_neither_is_ever_shown() {
    let home = tempfile::tempdir().unwrap();
    let url = "https://hooks.example.org/canary";
    let program = Program::stillcast(home.path()).env("ALERT_WEBHOOK_URL", url);
    let refused = program.run(&["serve"]).await.unwrap().expect(78);
    assert!(refused.stderr.contains("ALERT_WEBHOOK_SECRET: is not set"), "{refused:?}");
    let wrong = program.env("ALERT_WEBHOOK_SECRET", "canary").run(&["serve"]).await.unwrap();
    let wrong = wrong.expect(78);
    assert!(wrong.stderr.contains("ALERT_WEBHOOK_SECRET: is `whsec_`"), "{wrong:?}");
    assert!(!format!("{refused:?}{wrong:?}").contains("canary"), "{wrong:?}");
}
