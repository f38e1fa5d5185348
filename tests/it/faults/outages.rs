//! Redis goes away: for a moment, for long, by one connection, by memory.

use std::time::{Duration, Instant};

use redis::AsyncCommands;
use stillcast_enqueue::{EnqueueError, JobId, Producer, State};
use tests::fleet::{Fleet, WorkerOptions};
use tests::forwarder::Forwarder;
use tests::journal::Act;
use tests::script::Script;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{assert_sound, six_calls};

/// Four running jobs, each in its second call.
async fn four_running(fleet: &Fleet, ms: u64) -> Vec<JobId> {
    let jobs: Vec<_> = (0..4).map(|_| Script::of(ms).job()).collect();
    let ids = fleet.enqueue(&jobs).await.unwrap();
    for id in &ids {
        fleet.call_began(id, 2).await.unwrap();
    }
    ids
}

/// Every job had one attempt and paid each call once.
fn assert_undisturbed(fleet: &Fleet, ids: &[JobId]) {
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
    for id in ids {
        let attempts = fleet.account().count(id.as_str(), Act::Attempt);
        assert_eq!(attempts[&0], 1, "{id} began again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_disturb_nobody() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let ids = four_running(&fleet, 300).await;
    for call in 3..=5 {
        fleet.call_began(&ids[0], call).await.unwrap();
        for kind in ["normal", "pubsub"] {
            let mut kill = redis::cmd("CLIENT");
            kill.arg("KILL").arg("TYPE").arg(kind).arg("SKIPME").arg("yes");
            let killed: i64 = kill.query_async(&mut fleet.connection()).await.unwrap();
            assert!(killed > 0 || kind == "pubsub");
        }
    }
    assert_sound(&fleet, &ids).await;
    assert_undisturbed(&fleet, &ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_half_a_lease_disturbs_nobody() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let ids = four_running(&fleet, 500).await;
    let mut pause = redis::cmd("CLIENT");
    pause.arg("PAUSE").arg(1500).arg("ALL");
    let () = pause.query_async(&mut fleet.connection()).await.unwrap();
    assert_sound(&fleet, &ids).await;
    assert_undisturbed(&fleet, &ids);
}

/// How long Redis is away in the middle of a call.
const AWAY: Duration = Duration::from_millis(1500);

/// Enqueues one job after the other, each until it is acknowledged, until `enough`: at any moment one is
/// in flight. The identifiers, and how many of the calls an outage fell into.
async fn enqueue_on_and_on(producer: Producer, enough: CancellationToken) -> (Vec<JobId>, usize) {
    let (mut ids, mut cut) = (Vec::new(), 0);
    while !enough.is_cancelled() {
        let (job, began) = (Script::of(1).job(), Instant::now());
        let acknowledged = loop {
            match producer.enqueue(&job).await {
                Ok(enqueued) => break enqueued.id,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        ids.push(acknowledged);
        cut += usize::from(began.elapsed() > AWAY / 2);
        // What was to be met was met: no more than a few jobs from here on.
        tokio::time::sleep(Duration::from_millis(if cut > 0 { 20 } else { 0 })).await;
    }
    (ids, cut)
}

/// Killed and started again on its log within half a lease: the jobs go on as if nothing was, and an
/// enqueue that was in flight is one job.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_within_half_a_lease_disturbs_nobody() {
    let mut fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let _other = fleet.worker("other", &six_calls()).await.unwrap();
    let ids = four_running(&fleet, 500).await;
    let enough = CancellationToken::new();
    let mut in_flight = JoinSet::new();
    in_flight.spawn(enqueue_on_and_on(fleet.producer.clone(), enough.clone()));
    let some = async || (fleet.stats().await.ok()?.enqueued > 10).then_some(());
    fleet.until("some jobs were enqueued beside them", some).await.unwrap();
    fleet.server.kill().await.unwrap();
    tokio::time::sleep(AWAY).await;
    fleet.server.resume().await.unwrap();
    fleet.ended(&ids).await.unwrap();
    enough.cancel();
    let (more, cut) = in_flight.join_next().await.unwrap().unwrap();
    assert!(cut > 0, "no enqueue was in flight while Redis was away");
    assert_sound(&fleet, &[ids.clone(), more.clone()].concat()).await;
    let stats = fleet.stats().await.unwrap();
    let all = u64::try_from(ids.len() + more.len()).unwrap();
    assert_eq!(stats.enqueued, all, "each is one job, and none is lost");
    assert_undisturbed(&fleet, &ids);
}

/// Away for two leases: the jobs fence themselves, no crash is counted, no attempt is used, and
/// at most the call in flight is paid again.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_two_leases_is_nobodys_crash() {
    let mut fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let _other = fleet.worker("other", &six_calls()).await.unwrap();
    let ids = four_running(&fleet, 1200).await;
    fleet.server.kill().await.unwrap();
    let down = chrono::Utc::now().timestamp_millis();
    tokio::time::sleep(Duration::from_secs(6)).await;
    fleet.server.resume().await.unwrap();
    let up = chrono::Utc::now().timestamp_millis();
    let records = assert_sound(&fleet, &ids).await;
    for (id, record) in ids.iter().zip(&records) {
        assert_eq!((record.attempt, record.crashes), (1, 0), "{id}: {record:?}");
        let repeated = fleet.account().count(id.as_str(), Act::CallStart);
        let repeats: usize = repeated.values().map(|times| times - 1).sum();
        assert!(repeats <= 1, "{id} repeated {repeated:?}");
    }
    // Self-fence: past the lease, nothing is bought until Redis is back.
    let bought = fleet
        .account()
        .entries()
        .into_iter()
        .filter(|entry| entry.act == Act::CallStart && entry.at > down + 3000 && entry.at < up);
    assert_eq!(bought.count(), 0);
}

/// How much later, in ms: less than a heartbeat waits for a connection.
const LATER_MS: u64 = 150;

/// What ten outages of `away` leave of jobs that run through all of them.
async fn through_outages(long_ms: u64, away: Duration, between: Duration) -> (Fleet, Vec<JobId>) {
    let fleet = Fleet::start().await.unwrap();
    let workers = WorkerOptions { slots: 8, ..six_calls() };
    let _worker = fleet.worker("worker", &workers).await.unwrap();
    // The other one is later back each time: its leases have run out, and the first one reaps.
    let address = Forwarder::start(fleet.server.port()).await.unwrap();
    address.delay(LATER_MS);
    let workers = WorkerOptions { url: Some(address.url()), ..workers };
    let _other = fleet.worker("other", &workers).await.unwrap();
    // Calls so long that none of them ends between two outages longer than their leases' rest.
    let long: Vec<_> = (0..2).map(|_| Script::of(long_ms).job()).collect();
    let mut ids = fleet.enqueue(&long).await.unwrap();
    for _ in 0..10 {
        let jobs: Vec<_> = (0..4).map(|_| Script::of(600).job()).collect();
        let wave = fleet.enqueue(&jobs).await.unwrap();
        for id in &wave {
            fleet.call_began(id, 1).await.unwrap();
        }
        ids.extend(wave);
        tokio::time::sleep(between).await;
        fleet.server.stand_still().unwrap();
        tokio::time::sleep(away).await;
        fleet.server.go_on().unwrap();
    }
    let records = assert_sound(&fleet, &ids).await;
    for (id, record) in ids.iter().zip(&records) {
        assert_eq!((record.attempt, record.crashes), (1, 0), "{id}: {record:?}");
    }
    (fleet, ids)
}

/// Longer than a lease: leases run out and are taken again, each time, and no worker is blamed.
#[tokio::test(flavor = "multi_thread")]
async fn ten_outages_in_a_row_count_no_crash_and_pay_nothing_twice() {
    let (fleet, _) =
        through_outages(3000, Duration::from_millis(3200), Duration::from_millis(2200)).await;
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
}

/// The bound: half a lease, less the time to connect again.
#[tokio::test(flavor = "multi_thread")]
async fn ten_outages_within_half_a_lease_disturb_nobody() {
    let (fleet, ids) =
        through_outages(3000, Duration::from_millis(1100), Duration::from_millis(1200)).await;
    assert_undisturbed(&fleet, &ids);
}

/// `noeviction` and more in use than allowed: new work is refused, the old goes on and is reported.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_refuses_new_work_and_finishes_the_old() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let ids = four_running(&fleet, 300).await;
    let mut limit = redis::cmd("CONFIG");
    limit.arg("SET").arg("maxmemory").arg("1mb");
    let () = limit.query_async(&mut fleet.connection()).await.unwrap();
    let written: redis::RedisResult<()> = fleet.connection().set("junk", "x").await;
    assert_eq!(written.unwrap_err().code(), Some("OOM"), "Redis is full to the brim");
    let refused = async || {
        let answer = fleet.producer.enqueue(&Script::of(1).job()).await;
        matches!(answer, Err(EnqueueError::Full)).then_some(())
    };
    fleet.until("the queue says that it is full", refused).await.unwrap();
    assert_sound(&fleet, &ids).await;
    assert_undisturbed(&fleet, &ids);
    let record = fleet.record(&ids[0]).await.unwrap();
    assert_eq!(record.state, State::Done);
}
