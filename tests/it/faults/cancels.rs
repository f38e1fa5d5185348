//! `cancel` and `expire` on running workers.

use std::collections::BTreeMap;
use std::time::Duration;

use stillcast_enqueue::{CancelAnswer, State};
use tests::fleet::Fleet;
use tests::journal::{Act, Entry};
use tests::script::Script;

use crate::support::{OPERATOR, assert_sound, six_calls};

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

/// Whoever comes first wins, and only one does: from a cancel long before the report to one long after.
#[tokio::test(flavor = "multi_thread")]
async fn cancel_racing_done_ends_every_job_once() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let mut ends = BTreeMap::new();
    for round in 0..40 {
        let id = fleet.enqueue(&[Script::of(20).job()]).await.unwrap().remove(0);
        let (act, call) =
            [(Act::CallStart, 3), (Act::CallEnd, 6), (Act::Finish, 0), (Act::Finish, 0)][round % 4];
        let reached = |entry: &Entry| {
            entry.job == id.as_str() && entry.act == act && (call == 0 || entry.call == call)
        };
        fleet.journalled(reached).await.unwrap();
        if round % 4 == 3 {
            fleet.ended(std::slice::from_ref(&id)).await.unwrap();
        }
        let answer = fleet.producer.cancel(&id).await.unwrap();
        let state = fleet.ended(std::slice::from_ref(&id)).await.unwrap()[0].state;
        let finished = fleet.account().count(id.as_str(), Act::Finish).len();
        match (answer, state) {
            (CancelAnswer::Cancelling, State::Cancelled) => {}
            (CancelAnswer::Cancelling | CancelAnswer::Already(State::Done), State::Done) => {
                assert_eq!(finished, 1, "{id} was delivered once");
            }
            other => panic!("{id}: {other:?}"),
        }
        *ends.entry((round % 4, state.as_str())).or_insert(0) += 1;
    }
    let early = ends.get(&(0, "cancelled")).copied().unwrap_or_default();
    let late = ends.get(&(3, "done")).copied().unwrap_or_default();
    assert!(early > 0 && late == 10, "both ends were to be seen: {ends:?}");
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
    let _: i64 = pause.arg("pause").arg(&OPERATOR).invoke_async(&mut connection).await.unwrap();
    let waiting = fleet.enqueue(&[Script::of(10).job()]).await.unwrap();
    assert_sound(&fleet, &running).await;
    assert_eq!(fleet.record(&waiting[0]).await.unwrap().state, State::Ready);
    let mut resume = scripts.call(queue::Verb::Pause);
    let _: i64 = resume.arg("resume").arg(&OPERATOR).invoke_async(&mut connection).await.unwrap();
    assert_sound(&fleet, &waiting).await;
}
