//! A replica is promoted and its address follows, while every open connection stays with the old
//! primary.

use std::time::Duration;

use queue::Verb;
use stillcast_enqueue::{JobId, Producer, ProducerOptions};
use tests::fleet::{Fleet, QUEUE, WorkerOptions};
use tests::forwarder::Forwarder;
use tests::journal::{Act, Entry};
use tests::proxy::{Proxy, holds};
use tests::script::Script;
use tests::server::Server;

use crate::support::{assert_sound, six_calls};

/// How soon jobs go on, in ms.
const GOES_ON: i64 = 5000;
/// What a worker may say of one fail-over: the begin and the end of each connection's outage, and of
/// each job that went through it.
const LINES: usize = 12;

/// A primary, and the fleet on its replica: what it will be once that is promoted.
async fn pair() -> (Server, Fleet, Forwarder) {
    let primary = Server::start().await.unwrap();
    let replica = Fleet::on(Server::start().await.unwrap()).await.unwrap();
    replica.server.follow(&primary).await.unwrap();
    let address = Forwarder::start(primary.port()).await.unwrap();
    (primary, replica, address)
}

async fn producer(url: &str) -> Producer {
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), ..Default::default() };
    Producer::connect_with(url, options).await.unwrap()
}

async fn enqueue(producer: &Producer, jobs: usize, ms: u64) -> Vec<JobId> {
    let mut ids = Vec::new();
    for _ in 0..jobs {
        ids.push(producer.enqueue(&Script::of(ms).job()).await.unwrap().id);
    }
    ids
}

/// Lines of the worker's log that are more than information.
fn complaints(fleet: &Fleet) -> Vec<String> {
    let log = std::fs::read_to_string(fleet.server.folder().join("worker.log")).unwrap();
    let complains = |line: &&str| line.contains("WARN") || line.contains("ERROR");
    log.lines().filter(complains).map(ToOwned::to_owned).collect()
}

/// The address leads to the replica, which is promoted; the old primary follows it from then on, and
/// answers READONLY to whoever is still connected there.
#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_stops_neither_worker_nor_producer() {
    let (primary, fleet, address) = pair().await;
    let producer = producer(&address.url()).await;
    let options = WorkerOptions { url: Some(address.url()), ..six_calls() };
    let _worker = fleet.worker("worker", &options).await.unwrap();
    let mut ids = enqueue(&producer, 3, 500).await;
    for id in &ids {
        fleet.call_began(id, 2).await.unwrap();
    }
    fleet.server.until_replicated(&primary).await.unwrap();
    address.lead_to(fleet.server.port());
    fleet.server.say(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    let port = fleet.server.port().to_string();
    primary.say(&["REPLICAOF", "127.0.0.1", &port]).await.unwrap();
    let promoted = chrono::Utc::now().timestamp_millis();
    ids.extend(enqueue(&producer, 1, 50).await);
    fleet.call_began(&ids[3], 1).await.unwrap();
    let records = assert_sound(&fleet, &ids).await;
    for (id, record) in ids.iter().zip(&records) {
        assert_eq!((record.attempt, record.crashes), (1, 0), "{id}: {record:?}");
        let goes_on = |entry: &Entry| {
            let after = entry.at - promoted;
            entry.job == id.as_str()
                && entry.act == Act::CallStart
                && (0..=GOES_ON).contains(&after)
        };
        assert!(fleet.account().entries().iter().any(goes_on), "{id} stood still");
    }
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
    let said = complaints(&fleet);
    assert!(said.len() <= LINES, "{} lines: {said:#?}", said.len());
}

/// The old primary is not demoted but hangs: it keeps its connections, and answers nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_hangs_is_left_for_its_successor() {
    let (primary, fleet, address) = pair().await;
    let producer = producer(&address.url()).await;
    let options = WorkerOptions { url: Some(address.url()), ..six_calls() };
    let _worker = fleet.worker("worker", &options).await.unwrap();
    let mut ids = enqueue(&producer, 2, 500).await;
    for id in &ids {
        fleet.call_began(id, 2).await.unwrap();
    }
    fleet.server.until_replicated(&primary).await.unwrap();
    primary.stand_still().unwrap();
    fleet.server.say(&["REPLICAOF", "NO", "ONE"]).await.unwrap();
    address.lead_to(fleet.server.port());
    ids.extend(enqueue(&producer, 1, 50).await);
    let records = assert_sound(&fleet, &ids).await;
    for (id, record) in ids.iter().zip(&records) {
        assert_eq!(record.crashes, 0, "{id}: {record:?}");
    }
    let said = complaints(&fleet);
    assert!(said.len() <= LINES, "{} lines: {said:#?}", said.len());
}

/// Nobody listens there for many tries of every connection.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_once_and_not_by_each_try() {
    let mut fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[Script::of(300).job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    fleet.server.kill().await.unwrap();
    tokio::time::sleep(Duration::from_secs(8)).await;
    fleet.server.resume().await.unwrap();
    assert_sound(&fleet, &ids).await;
    let said = complaints(&fleet);
    assert!((1..=LINES).contains(&said.len()), "{} lines: {said:#?}", said.len());
}

/// The heartbeat is heard, and the connection on which the worker would report is not: its job must
/// not stay with it for ever.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_report_does_not_keep_its_job() {
    let fleet = Fleet::start().await.unwrap();
    let proxy = Proxy::start(fleet.server.port()).await.unwrap();
    let options = WorkerOptions { url: Some(proxy.url()), ..six_calls() };
    let _deaf = fleet.worker("worker", &options).await.unwrap();
    let ids = fleet.enqueue(&[Script::of(300).job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    let (scripts, _) = fleet.scripts();
    let [reap, renew] = [Verb::Reap, Verb::Renew].map(|verb| scripts.digest(verb).to_owned());
    let id = ids[0].to_string();
    // A renewal that names the job is the heartbeat's; one that names none is the main connection's.
    let of_heartbeat = move |request: &[u8]| {
        holds(request, &reap) || (holds(request, &renew) && holds(request, &id))
    };
    proxy.swallow_unless(of_heartbeat);
    let _other = fleet.worker("other", &six_calls()).await.unwrap();
    assert_sound(&fleet, &ids).await;
    let by_other = |entry: &Entry| entry.worker.starts_with("other") && entry.act == Act::Finish;
    assert!(fleet.account().entries().iter().any(by_other), "nobody else got the job");
}
