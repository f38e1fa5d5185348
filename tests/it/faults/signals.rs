//! SIGTERM and SIGSTOP: a worker that leaves, and one that stands still without knowing it.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;
use tests::fleet::{Fleet, WorkerOptions};
use tests::journal::Act;
use tests::script::Script;

use crate::support::{assert_sound, six_calls};

/// `release`: running calls finish and are checkpointed, none is repeated, nothing is charged.
#[tokio::test(flavor = "multi_thread")]
async fn a_drain_under_load_costs_nothing() {
    let fleet = Fleet::start().await.unwrap();
    let mut leaving = fleet.worker("leaving", &six_calls()).await.unwrap();
    let jobs: Vec<_> = (0..12).map(|_| Script::of(200).job()).collect();
    let ids = fleet.enqueue(&jobs).await.unwrap();
    fleet.journalled(|entry| entry.act == Act::CallStart && entry.call == 3).await.unwrap();
    leaving.signal(Signal::SIGTERM).unwrap();
    assert!(leaving.end().await.unwrap(), "a drained worker ends with status 0");
    assert_eq!(
        fleet.stats().await.unwrap().states.leased,
        0,
        "a drained worker leaves no lease behind"
    );
    let _heir = fleet.worker("heir", &six_calls()).await.unwrap();
    let records = assert_sound(&fleet, &ids).await;
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
    assert!(records.iter().all(|record| record.attempt == 1 && record.crashes == 0));
    assert!(records.iter().any(|record| record.interruptions > 0), "somebody was interrupted");
}

/// The second signal does not wait for the call in flight, and the job does not wait for its lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_releases_at_once() {
    let fleet = Fleet::start().await.unwrap();
    let mut leaving = fleet.worker("leaving", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[Script { hang_at: 2, ..Script::of(50) }.job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    leaving.signal(Signal::SIGTERM).unwrap();
    leaving.signal(Signal::SIGTERM).unwrap();
    assert!(leaving.end().await.unwrap());
    let record = fleet.record(&ids[0]).await.unwrap();
    assert_eq!((record.state.as_str(), record.interruptions, record.crashes), ("ready", 1, 0));
}

/// The end of the drain does the same for a call that does not end.
#[tokio::test(flavor = "multi_thread")]
async fn the_drain_deadline_releases() {
    let fleet = Fleet::start().await.unwrap();
    let options = WorkerOptions { drain_ms: 500, ..six_calls() };
    let mut leaving = fleet.worker("leaving", &options).await.unwrap();
    let ids = fleet.enqueue(&[Script { hang_at: 2, ..Script::of(50) }.job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    leaving.signal(Signal::SIGTERM).unwrap();
    assert!(leaving.end().await.unwrap());
    let record = fleet.record(&ids[0]).await.unwrap();
    assert_eq!((record.state.as_str(), record.interruptions, record.crashes), ("ready", 1, 0));
}

/// I6: the zombie begins no paid call, and what it writes is refused; then it works on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_wakes_as_nobody() {
    let fleet = Fleet::start().await.unwrap();
    let zombie = fleet.worker("zombie", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[Script::of(300).job()]).await.unwrap();
    let before = fleet.call_began(&ids[0], 2).await.unwrap();
    zombie.signal(Signal::SIGSTOP).unwrap();
    let heir = fleet.worker("heir", &six_calls()).await.unwrap();
    let taken = fleet
        .journalled(|entry| entry.act == Act::CallStart && entry.worker != before.worker)
        .await
        .unwrap();
    zombie.signal(Signal::SIGCONT).unwrap();
    assert_sound(&fleet, &ids).await;
    let late = fleet.account().entries().into_iter().filter(|entry| {
        entry.act == Act::CallStart && entry.worker == before.worker && entry.at >= taken.at
    });
    assert_eq!(late.count(), 0, "the zombie began a paid call");
    // Alone again, it takes new work: it is no deaf process.
    drop(heir);
    let more = fleet.enqueue(&[Script::of(20).job()]).await.unwrap();
    assert_sound(&fleet, &more).await;
}

/// Replicas that come back under their old names, one after the other, under load.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_on_the_same_names_loses_nothing() {
    let fleet = Fleet::start().await.unwrap();
    let mut workers = [
        fleet.worker("replica-0", &six_calls()).await.unwrap(),
        fleet.worker("replica-1", &six_calls()).await.unwrap(),
    ];
    let jobs: Vec<_> = (0..60).map(|_| Script::of(100).job()).collect();
    let ids = fleet.enqueue(&jobs).await.unwrap();
    for round in 0..4 {
        let done = 10 * (round + 1);
        let finished = async || {
            let finishes = fleet.account().entries().into_iter().filter(|e| e.act == Act::Finish);
            (finishes.count() >= done).then_some(())
        };
        fleet.until("ten more jobs", finished).await.unwrap();
        let replica = round % 2;
        workers[replica].signal(Signal::SIGTERM).unwrap();
        assert!(workers[replica].end().await.unwrap());
        workers[replica] = fleet.worker(&format!("replica-{replica}"), &six_calls()).await.unwrap();
    }
    let records = assert_sound(&fleet, &ids).await;
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
    assert!(records.iter().all(|record| record.attempt == 1 && record.crashes == 0));
}

/// Two workers share long jobs evenly: nobody hoards.
#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_long_jobs_evenly() {
    let fleet = Fleet::start().await.unwrap();
    let _one = fleet.worker("one", &six_calls()).await.unwrap();
    let _two = fleet.worker("two", &six_calls()).await.unwrap();
    let registered = async || (fleet.stats().await.ok()?.workers == 2).then_some(());
    fleet.until("both workers are there", registered).await.unwrap();
    // Either has slots for all four: nothing but the way in which they are claimed makes them share.
    let mut shared = 0;
    for _ in 0..5 {
        let jobs: Vec<_> = (0..4).map(|_| Script::of(200).job()).collect();
        let ids = fleet.enqueue(&jobs).await.unwrap();
        assert_sound(&fleet, &ids).await;
        let entries = fleet.account().entries();
        let begun = entries.iter().filter(|entry| entry.act == Act::Attempt);
        let of_round = begun.filter(|entry| ids.iter().any(|id| id.as_str() == entry.job));
        let workers: BTreeSet<&String> = of_round.map(|entry| &entry.worker).collect();
        shared += usize::from(workers.len() == 2);
    }
    assert!(shared >= 3, "in {shared} of five rounds both worked");
}

/// The same kill at the lease of production.
#[tokio::test(flavor = "multi_thread")]
async fn at_thirty_seconds_recovery_takes_a_lease_and_a_sixth() {
    let fleet = Fleet::start().await.unwrap();
    let options = WorkerOptions { lease_ms: 30_000, ..six_calls() };
    let mut victim = fleet.worker("victim", &options).await.unwrap();
    let _heir = {
        let ids = fleet.enqueue(&[Script::of(200).job()]).await.unwrap();
        fleet.call_began(&ids[0], 4).await.unwrap();
        let heir = fleet.worker("heir", &options).await.unwrap();
        victim.kill().await.unwrap();
        let killed = fleet.now_ms().await.unwrap();
        let records = assert_sound(&fleet, &ids).await;
        let attempts = fleet.account().count(ids[0].as_str(), Act::Attempt);
        assert_eq!(attempts[&0], 2);
        let again = fleet.account().entries();
        let again = again.iter().rfind(|entry| entry.act == Act::Attempt).unwrap();
        let bound = Duration::from_millis(30_000 + 5000 + 2500);
        let took = u64::try_from(again.at - killed).unwrap();
        assert!(Duration::from_millis(took) < bound, "recovered after {took} ms");
        assert_eq!(records[0].attempt, 1);
        heir
    };
}
