//! `cancel` and `expire` on running workers.

use std::time::Duration;

use stillcast_enqueue::{CancelAnswer, State};
use tests::fleet::Fleet;
use tests::journal::Act;
use tests::script::Script;

use crate::support::{assert_sound, six_calls};

/// I11: at once while it waits; within a second, by hint, while it runs; no call begins after.
#[tokio::test(flavor = "multi_thread")]
async fn cancelled_waiting_and_running() {
    let fleet = Fleet::start().await.unwrap();
    let waiting = fleet.enqueue(&[Script::default().job()]).await.unwrap();
    assert_eq!(fleet.producer.cancel(&waiting[0]).await.unwrap(), CancelAnswer::Cancelled);
    assert_eq!(fleet.record(&waiting[0]).await.unwrap().state, State::Cancelled);
    let again = fleet.producer.cancel(&waiting[0]).await.unwrap();
    assert_eq!(again, CancelAnswer::Already(State::Cancelled));

    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let running = fleet.enqueue(&[Script { hang_at: 2, ..Script::of(20) }.job()]).await.unwrap();
    fleet.call_began(&running[0], 2).await.unwrap();
    let asked = fleet.now_ms().await.unwrap();
    assert_eq!(fleet.producer.cancel(&running[0]).await.unwrap(), CancelAnswer::Cancelling);
    let record = fleet.ended(&running).await.unwrap().remove(0);
    assert_eq!(record.state, State::Cancelled);
    let took = record.finished_at.unwrap().timestamp_millis() - asked;
    assert!(took <= 1000, "cancelled after {took} ms");
    let late = fleet.account().entries().into_iter().filter(|entry| entry.at > asked + took);
    assert_eq!(late.count(), 0);
}

/// Without the hint the renewal brings it, within a third of a lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_missed_hint_costs_a_third_of_a_lease() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[Script { hang_at: 2, ..Script::of(20) }.job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    let asked = fleet.now_ms().await.unwrap();
    // The flag alone, as after a lost message.
    let (scripts, mut connection) = fleet.scripts();
    let mut flag = redis::cmd("HSET");
    flag.arg(scripts.keys().job(ids[0].as_str())).arg("cancel").arg(1);
    let _: i64 = flag.query_async(&mut connection).await.unwrap();
    let record = fleet.ended(&ids).await.unwrap().remove(0);
    assert_eq!(record.state, State::Cancelled);
    let took = record.finished_at.unwrap().timestamp_millis() - asked;
    assert!(took <= 1000 + 500, "cancelled after {took} ms");
}

/// Whoever comes first wins, and only one does.
#[tokio::test(flavor = "multi_thread")]
async fn cancel_racing_done_ends_every_job_once() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let jobs: Vec<_> = (0..40).map(|_| Script::of(3).job()).collect();
    let ids = fleet.enqueue(&jobs).await.unwrap();
    for id in &ids {
        fleet.journalled(|entry| entry.job == id.as_str() && entry.call == 6).await.unwrap();
        fleet.producer.cancel(id).await.unwrap();
    }
    let records = fleet.ended(&ids).await.unwrap();
    let done = records.iter().filter(|record| record.state == State::Done).count();
    let cancelled = records.iter().filter(|record| record.state == State::Cancelled).count();
    assert_eq!(done + cancelled, 40);
    for (id, record) in ids.iter().zip(&records) {
        let finished = fleet.account().count(id.as_str(), Act::Finish).len();
        assert!(record.state == State::Cancelled || finished == 1, "{id}");
    }
    let stats = fleet.stats().await.unwrap();
    assert_eq!(stats.enqueued, stats.purged + stats.states.all(), "I1: {stats:?}");
}

/// `expire`: the worker ends it at its deadline and buys nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_ends_at_its_deadline() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let deadline = chrono::Utc::now() + Duration::from_secs(2);
    let job = Script::of(600).job().with_deadline(deadline);
    let ids = fleet.enqueue(&[job]).await.unwrap();
    let record = fleet.ended(&ids).await.unwrap().remove(0);
    assert_eq!(record.state, State::Expired);
    let late = record.finished_at.unwrap() - deadline;
    assert!(late.num_milliseconds() < 1000, "ended {late} after the deadline");
    let bought = fleet
        .account()
        .entries()
        .into_iter()
        .filter(|entry| entry.act == Act::CallStart && entry.at > deadline.timestamp_millis());
    assert_eq!(bought.count(), 0);
}

/// A paused queue claims nothing; what runs goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_claims_only() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let running = fleet.enqueue(&[Script::of(100).job()]).await.unwrap();
    fleet.call_began(&running[0], 1).await.unwrap();
    let (scripts, mut connection) = fleet.scripts();
    let mut pause = scripts.call(queue::Verb::Pause);
    let _: i64 = pause.arg("pause").invoke_async(&mut connection).await.unwrap();
    let waiting = fleet.enqueue(&[Script::of(10).job()]).await.unwrap();
    assert_sound(&fleet, &running).await;
    assert_eq!(fleet.record(&waiting[0]).await.unwrap().state, State::Ready);
    let mut resume = scripts.call(queue::Verb::Pause);
    let _: i64 = resume.arg("resume").invoke_async(&mut connection).await.unwrap();
    assert_sound(&fleet, &waiting).await;
}
