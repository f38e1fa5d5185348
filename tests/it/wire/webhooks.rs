//! What the queue owes goes over real sockets to receivers that are strangers, and hostile.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::HeaderMap;
use child::Spec;
use queue::{Clock, Endpoint, Notifier, Scripts, verify};
use redis::AsyncCommands;
use secrecy::SecretString;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::{Job, JobId, Producer, Source, WebhookState, WebhookUrl};
use tests::foreign::{node_modules, python, root, told};
use tests::receiver::{Manner, Received, Receiver};
use tests::server::Server;
use webhook::{Sender, SenderOptions};

/// A secret on its way out, and the one that takes its place.
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// The base64 of 32 sevens: a seed of Ed25519.
const PAIR: &str = "whsk_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
/// Deliveries to the hostile receiver.
const MANY: usize = 1_000;
/// Deliveries of one round.
const ROUND: isize = 64;
/// How long an attempt may take here: a receiver that hangs shall not make the test wait.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Requests that are never answered: each costs its round the whole time-out.
const HANGS: usize = 12;

/// A queue whose deliveries wait for a clock that the test moves.
struct Owed {
    _server: Server,
    producer: Producer,
    scripts: Scripts,
    connection: SharedConnection,
}

impl Owed {
    async fn start() -> Self {
        let server = Server::start().await.unwrap();
        let producer = Producer::connect(&server.url()).await.unwrap();
        let endpoint = Endpoint::new(&server.url(), "stillcast").unwrap();
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Key);
        let connection = endpoint.shared(Duration::from_secs(5)).await.unwrap();
        Self { _server: server, producer, scripts, connection }
    }

    fn notifier(&self, secrets: &[&str]) -> Notifier {
        let secret = |key: &&str| ("*".to_owned(), SecretString::from(*key));
        let options = SenderOptions {
            secrets: secrets.iter().map(secret).collect(),
            allow: vec!["127.0.0.0/8".to_owned()],
            timeout: TIMEOUT,
            ..SenderOptions::default()
        };
        let courier = Arc::new(Sender::new(&options).unwrap());
        Notifier::new(self.scripts.clone(), self.connection.clone(), courier)
    }

    /// Jobs that have ended, told at eight addresses of `receiver`.
    async fn end(&self, jobs: usize, receiver: &Receiver) -> Vec<JobId> {
        let job = |at: usize| {
            let host = at % 8 + 1;
            let url = format!("http://127.0.0.{host}:{}/hook?token={at}", receiver.port);
            let job = Job::audio(Source::Text("Marzipanturm".to_owned()));
            job.with_webhook(WebhookUrl::parse(&url).unwrap()).with_metadata("at", at.to_string())
        };
        let jobs: Vec<Job> = (0..jobs).map(job).collect();
        for enqueued in self.producer.enqueue_many(&jobs).await {
            enqueued.unwrap();
        }
        for job in &jobs {
            self.producer.cancel(&job.id).await.unwrap();
        }
        jobs.into_iter().map(|job| job.id).collect()
    }

    /// Moves the clock to where as many of the next deliveries are due as one round takes; false when none
    /// is owed.
    async fn next(&self) -> bool {
        let mut connection = self.connection.clone();
        let keys = self.scripts.keys();
        let first: Vec<(String, f64)> =
            connection.zrange_withscores(keys.named("webhooks"), 0, ROUND - 1).await.unwrap();
        let clock: Option<f64> = connection.get(keys.named("clock")).await.unwrap();
        let Some((_, due)) = first.into_iter().next_back() else { return false };
        let now = due.max(clock.unwrap_or(0.0));
        let _: () = connection.set(keys.named("clock"), format!("{now:.0}")).await.unwrap();
        true
    }

    async fn deliver_all(&self, notifier: &Notifier) -> usize {
        let mut attempts = 0;
        while self.next().await {
            attempts += notifier.round().await.unwrap();
        }
        attempts
    }

    async fn clock(&self) -> f64 {
        self.connection.clone().get(self.scripts.keys().named("clock")).await.unwrap()
    }

    async fn states(&self, ids: &[JobId]) -> HashMap<WebhookState, usize> {
        let mut states = HashMap::new();
        for record in self.producer.status(ids).await.unwrap() {
            *states.entry(record.unwrap().webhook.unwrap().state).or_default() += 1;
        }
        states
    }
}

/// Whether the standard's own crate takes the request under `secret`, with this body.
fn verified(received: &Received, secret: &str, body: &str) -> bool {
    let mut headers = HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.headers[name].parse().unwrap());
    }
    Webhook::new(secret).unwrap().verify(body.as_bytes(), &headers).is_ok()
}

/// Any manner, for a few times; the first requests of all are never answered.
fn hostile(hangs: &AtomicUsize, time: usize) -> Manner {
    const MANNERS: [Manner; 10] = [
        Manner::Take,
        Manner::Take,
        Manner::TakeSlowly,
        Manner::TakeAndReset,
        Manner::Refuse(500),
        Manner::Refuse(503),
        Manner::Refuse(404),
        Manner::Throttle,
        Manner::Redirect,
        Manner::Reset,
    ];
    if hangs.fetch_add(1, Ordering::Relaxed) < HANGS {
        return Manner::Hang;
    }
    if time > 6 { Manner::Take } else { MANNERS[fastrand::usize(..MANNERS.len())] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_deliveries_to_a_hostile_receiver_become_exactly_one_each() {
    let (owed, hangs) = (Owed::start().await, AtomicUsize::new(0));
    let receiver = Receiver::start(move |time| hostile(&hangs, time)).await.unwrap();
    let ids = owed.end(MANY, &receiver).await;
    let attempts = owed.deliver_all(&owed.notifier(&[OLD, NEW])).await;
    assert_eq!(owed.states(&ids).await, HashMap::from([(WebhookState::Delivered, MANY)]));
    let received = receiver.received();
    let manners: HashSet<Manner> = received.iter().map(|one| one.manner).collect();
    assert!(manners.len() >= 10 && attempts > MANY, "{attempts} attempts met {manners:?}");
    let mut taken: HashMap<&str, HashSet<String>> = HashMap::new();
    for one in received.iter().filter(|one| one.is_taken()) {
        let event: Value = serde_json::from_str(&one.body).unwrap();
        assert_eq!(event["type"], "job.cancelled");
        taken.entry(one.id()).or_default().insert(event["data"]["id"].as_str().unwrap().to_owned());
        assert!(verified(one, OLD, &one.body) && verified(one, NEW, &one.body));
        assert!(!verified(one, OLD, &one.body.replace("cancelled", "done")));
    }
    assert_eq!(taken.len(), MANY, "events by their webhook-id");
    let jobs: HashSet<&String> = taken.values().flatten().collect();
    let wanted: HashSet<String> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(jobs.len(), MANY, "each event is of one job");
    assert!(jobs.into_iter().all(|job| wanted.contains(job)));
    let private = |one: &Received| one.body.contains("Marzipanturm") || one.body.contains("token=");
    assert!(!received.iter().any(private), "private text in a body");
    let found = verify(&owed.scripts, &mut owed.connection.clone()).await.unwrap().violations;
    assert!(found.iter().all(|one| one.id.as_deref() == Some("clock")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_attempts_are_made_in_three_days_and_then_none() {
    let owed = Owed::start().await;
    let receiver = Receiver::start(|_| Manner::Refuse(500)).await.unwrap();
    let ids = owed.end(1, &receiver).await;
    assert!(owed.next().await);
    let begun: f64 = owed.clock().await;
    assert_eq!(owed.deliver_all(&owed.notifier(&[OLD])).await, 10);
    let hours = (owed.clock().await - begun) / 3_600_000.0;
    assert!((60.0..91.0).contains(&hours), "{hours} h; 75.6 h, a fifth more or less");
    assert_eq!(owed.states(&ids).await, HashMap::from([(WebhookState::Exhausted, 1)]));
    let events: HashSet<String> =
        receiver.received().iter().map(|one| one.id().to_owned()).collect();
    assert_eq!(events.len(), 1, "one identifier for all attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_asked_once_and_each_endpoint_by_itself() {
    let owed = Owed::start().await;
    let receiver = Receiver::start(|_| Manner::Refuse(410)).await.unwrap();
    let ids = owed.end(2, &receiver).await;
    owed.deliver_all(&owed.notifier(&[OLD])).await;
    assert_eq!(owed.states(&ids).await, HashMap::from([(WebhookState::Off, 2)]));
    assert_eq!(receiver.received().len(), 2, "two addresses");
    let again = owed.end(2, &receiver).await;
    assert_eq!(owed.deliver_all(&owed.notifier(&[OLD])).await, 0);
    assert_eq!(owed.states(&again).await, HashMap::from([(WebhookState::Off, 2)]));
    assert_eq!(receiver.received().len(), 2, "nothing more is sent");
}

/// Those of the standard for Python and for Node, under either secret of a rotation; and Node's own
/// Ed25519.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_libraries_verify_every_signature_of_a_rotation() {
    let owed = Owed::start().await;
    let receiver = Receiver::start(|_| Manner::Take).await.unwrap();
    let ids = owed.end(24, &receiver).await;
    owed.deliver_all(&owed.notifier(&[OLD, NEW, PAIR])).await;
    assert_eq!(owed.states(&ids).await, HashMap::from([(WebhookState::Delivered, 24)]));
    let received = receiver.received();
    let messages: Vec<Value> =
        received.iter().map(|one| json!({ "headers": one.headers, "body": one.body })).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.json");
    let all = json!({ "secrets": [OLD, NEW], "pair": PAIR, "messages": messages });
    std::fs::write(&file, all.to_string()).unwrap();
    let script = |name: &str| root().join("tests/it/wire").join(name);
    let expected = json!({ "verified": 48, "refused": 48 });
    let by_python = Spec::new(python()).arg(script("verify_webhooks.py")).arg(&file);
    assert_eq!(told::<Value>(by_python).await.unwrap(), expected);
    let by_node = Spec::new("node").env("NODE_PATH", node_modules("standardwebhooks"));
    let by_node = by_node.arg(script("verify_webhooks.cjs")).arg(&file);
    let wanted = json!({ "verified": 48, "refused": 48, "pairs": 24 });
    assert_eq!(told::<Value>(by_node).await.unwrap(), wanted);
}
