//! What only time says: a lease that ended unseen, a stall that is nobody's fault.

use std::time::Duration;

use nix::sys::signal::Signal;
use queue::Verb;
use stillcast_enqueue::JobRecord;
use tests::fleet::Fleet;
use tests::journal::Act;
use tests::script::Script;

use crate::support::{OPERATOR, assert_sound, six_calls};

/// Six calls of `ms` that ask nobody in between whether the lease still stands.
fn unasking(ms: u64) -> Script {
    Script { checkpoint_every: 6, ..Script::of(ms) }
}

/// I6, self-fence: cut off from Redis, a worker buys nothing from L − L/6 after its last renewal on.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_cut_off_stops_buying_before_its_lease_ends() {
    let mut fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[unasking(1000).job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    fleet.server.kill().await.unwrap();
    let down = chrono::Utc::now().timestamp_millis();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let up = chrono::Utc::now().timestamp_millis();
    fleet.server.resume().await.unwrap();
    let bought: Vec<i64> = fleet
        .account()
        .entries()
        .into_iter()
        .filter(|entry| entry.act == Act::CallStart && (down..up).contains(&entry.at))
        .map(|entry| entry.at - down)
        .collect();
    assert!(!bought.is_empty(), "the job goes on through the first part of an outage");
    assert!(bought.iter().all(|after| *after < 2500), "calls bought {bought:?} ms after the cut");
    assert_sound(&fleet, &ids).await;
}

/// I6: stopped in mid-call and woken after its lease, a worker begins not even the next call.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_worker_does_not_finish_its_shopping() {
    let fleet = Fleet::start().await.unwrap();
    let zombie = fleet.worker("zombie", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[unasking(300).job()]).await.unwrap();
    let before = fleet.call_began(&ids[0], 2).await.unwrap();
    zombie.signal(Signal::SIGSTOP).unwrap();
    let heir = fleet.worker("heir", &six_calls()).await.unwrap();
    assert_sound(&fleet, &ids).await;
    zombie.signal(Signal::SIGCONT).unwrap();
    drop(heir);
    // It takes part again: whatever it had left to say under the old lease, it has said.
    let more = fleet.enqueue(&[Script::of(20).job()]).await.unwrap();
    assert_sound(&fleet, &more).await;
    let starts = fleet.account().count(ids[0].as_str(), Act::CallStart);
    let calls = fleet.account().entries().into_iter().filter(|entry| {
        entry.act == Act::CallStart && entry.token == before.token && entry.job == ids[0].as_str()
    });
    assert_eq!(calls.count(), 2, "the zombie went on: {starts:?}");
}

/// The gap rule: Redis and a worker go down together, as with a whole machine. When Redis is back
/// it cannot know who still works, so it waits one lease, and charges nobody with a crash.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ended_in_an_outage_is_no_crash() {
    let mut fleet = Fleet::start().await.unwrap();
    let mut worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[unasking(300).job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    fleet.server.kill().await.unwrap();
    worker.kill().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    fleet.server.resume().await.unwrap();
    let up = chrono::Utc::now().timestamp_millis();
    let _heir = fleet.worker("heir", &six_calls()).await.unwrap();
    let record = assert_sound(&fleet, &ids).await.remove(0);
    assert_eq!((record.attempt, record.crashes, record.interruptions), (1, 0, 1), "{record:?}");
    let again = fleet.account().entries();
    let again = again.iter().rfind(|entry| entry.act == Act::Attempt).unwrap();
    assert!(again.at - up >= 3000, "reaped {} ms after the outage", again.at - up);
}

/// A worker killed while it drains has announced its leaving: no crash.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_while_it_leaves_is_no_crash() {
    let fleet = Fleet::start().await.unwrap();
    let mut leaving = fleet.worker("leaving", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[Script { hang_at: 2, ..Script::of(50) }.job()]).await.unwrap();
    fleet.call_began(&ids[0], 2).await.unwrap();
    pause(&fleet).await;
    leaving.signal(Signal::SIGTERM).unwrap();
    let (scripts, mut connection) = fleet.scripts();
    let announced = async || {
        let mut command = redis::cmd("HVALS");
        let lines: Vec<String> =
            command.arg(scripts.keys().named("workers")).query_async(&mut connection).await.ok()?;
        lines.iter().any(|line| line.split('|').nth(1) == Some("1")).then_some(())
    };
    fleet.until("the worker has announced its leaving", announced).await.unwrap();
    leaving.kill().await.unwrap();
    // It may claim nothing in a paused queue, but it reaps.
    let _reaper = fleet.worker("reaper", &six_calls()).await.unwrap();
    let given_back = async || {
        let record: JobRecord = fleet.record(&ids[0]).await.ok()?;
        (record.state.as_str() == "ready").then_some(record)
    };
    let record = fleet.until("the lease is reaped", given_back).await.unwrap();
    assert_eq!((record.crashes, record.interruptions), (0, 1), "{record:?}");
}

async fn pause(fleet: &Fleet) {
    let (scripts, mut connection) = fleet.scripts();
    let mut pause = scripts.call(Verb::Pause);
    let _: i64 = pause.arg("pause").arg(&OPERATOR).invoke_async(&mut connection).await.unwrap();
}
