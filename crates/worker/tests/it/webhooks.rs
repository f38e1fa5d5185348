//! Jobs end; whoever wants to be told is told, by whichever worker lives.

use std::collections::HashSet;

use queue::{Endpoint, Inspector};
use stillcast_enqueue::{Job, Source, WebhookState, WebhookUrl};
use tests::receiver::{Manner, Received, Receiver};
use tests::server::Server;

use crate::harness::{QUEUE, Worker, WorkerHarness, producer, until};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// More than one worker begins at once, at one receiver and at two.
const MANY: usize = 60;

fn harness(server: &Server) -> WorkerHarness {
    let harness = WorkerHarness::on(server).set("WEBHOOK_SECRETS", &format!("*:{SECRET}"));
    harness.set("WEBHOOK_ALLOW", "127.0.0.0/8")
}

/// Jobs that have ended, each told at one of eight addresses of the receiver.
async fn end(server: &Server, jobs: usize, receiver: &Receiver) -> Vec<Job> {
    let producer = producer(server).await;
    let job = |at: usize| {
        let url = format!("http://127.0.0.{}:{}/?token=s3cret", at % 8 + 1, receiver.port);
        let job = Job::audio(Source::Text("Marzipanturm".to_owned()));
        job.with_webhook(WebhookUrl::parse(&url).unwrap())
    };
    let jobs: Vec<Job> = (0..jobs).map(job).collect();
    for (enqueued, job) in producer.enqueue_many(&jobs).await.into_iter().zip(&jobs) {
        enqueued.unwrap();
        producer.cancel(&job.id).await.unwrap();
    }
    jobs
}

async fn inspector(server: &Server) -> Inspector {
    Inspector::connect(Endpoint::new(&server.url(), QUEUE).unwrap()).await.unwrap()
}

/// What senders hold is theirs no longer: a minute passes by hand.
async fn let_leases_run_out(server: &Server) {
    let endpoint = Endpoint::new(&server.url(), QUEUE).unwrap();
    let key = endpoint.keys().named("webhooks");
    let held: Vec<String> = {
        let words: [&[u8]; 4] = [b"ZRANGE", key.as_bytes(), b"0", b"-1"];
        server.command(&words).await.unwrap()
    };
    for id in held {
        let words: [&[u8]; 5] = [b"ZADD", key.as_bytes(), b"XX", b"1", id.as_bytes()];
        let _: i64 = server.command(&words).await.unwrap();
    }
}

async fn all_are_delivered(server: &Server, jobs: &[Job]) {
    let inspector = inspector(server).await;
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    until("every webhook is delivered", async || {
        let records = inspector.records(&ids).await.ok()?;
        let states = records.into_iter().map(|one| one.unwrap().webhook.unwrap().state);
        states.into_iter().all(|state| state == WebhookState::Delivered).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_in_the_middle_leaves_its_deliveries_to_another() {
    let server = Server::start().await.unwrap();
    // The first request of each event is never answered: who sent it dies meanwhile.
    let first = |time: usize| if time == 1 { Manner::Hang } else { Manner::Take };
    let receiver = Receiver::start(first).await.unwrap();
    let jobs = end(&server, MANY, &receiver).await;
    let doomed: Worker = harness(&server).start(&[]).await;
    until("the worker is in the middle of it", async || {
        (receiver.received().len() >= MANY).then_some(())
    })
    .await;
    doomed.kill().await;
    let (heir, log) = (harness(&server), "s3cret");
    let worker = heir.start(&[]).await;
    let_leases_run_out(&server).await;
    all_are_delivered(&server, &jobs).await;
    let taken = receiver.received();
    let events: HashSet<&str> =
        taken.iter().filter(|one| one.is_taken()).map(Received::id).collect();
    assert_eq!(events.len(), MANY, "one event a job, by its webhook-id");
    assert!(!worker.log().contains(log), "an address reached the log");
}

/// Without a secret nothing is sent; with one, what waits is sent by whoever has it.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_sign_says_so_and_waits() {
    let server = Server::start().await.unwrap();
    let receiver = Receiver::start(|_| Manner::Take).await.unwrap();
    let jobs = end(&server, 1, &receiver).await;
    let_leases_run_out(&server).await;
    let bare = WorkerHarness::on(&server).set("WEBHOOK_ALLOW", "127.0.0.0/8");
    let unsigned = bare.start(&[]).await;
    let inspector = inspector(&server).await;
    until("the delivery says that nobody can sign it", async || {
        let webhook = inspector.webhook(jobs[0].id.as_str()).await.ok()??;
        (webhook.state == WebhookState::NoSecret).then_some(())
    })
    .await;
    assert!(unsigned.log().contains("WEBHOOK_SECRETS is not set"), "{}", unsigned.log());
    assert!(receiver.received().is_empty(), "something was sent unsigned");
    // It would take what has been due for so long as eagerly as the other one.
    unsigned.kill().await;
    let signing = harness(&server);
    let _signing = signing.start(&[]).await;
    let_leases_run_out(&server).await;
    all_are_delivered(&server, &jobs).await;
    let webhook = inspector.webhook(jobs[0].id.as_str()).await.unwrap().unwrap();
    assert_eq!(webhook.attempts.len(), 1, "{webhook:?}");
    assert_eq!(webhook.attempts[0].status, Some(200));
}
