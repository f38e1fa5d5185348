//! Bad jobs: unreadable, panicking, aborting, hanging, blocking. Their neighbours never pay.

use redis::AsyncCommands;
use stillcast_enqueue::State;
use tests::fleet::{Fleet, Worker, WorkerOptions};
use tests::journal::Act;
use tests::script::Script;

use crate::support::{assert_sound, six_calls};

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_request_is_dead_with_its_bytes_kept() {
    let fleet = Fleet::start().await.unwrap();
    let bad = fleet.enqueue(&[Script::default().job()]).await.unwrap();
    let (scripts, mut connection) = fleet.scripts();
    let body = scripts.keys().body(bad[0].as_str());
    let () = connection.set(&body, b"\xff\x00 not an envelope".as_slice()).await.unwrap();
    let good = fleet.enqueue(&[Script::of(10).job()]).await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let record = fleet.ended(&bad).await.unwrap().remove(0);
    assert_eq!(record.state, State::Dead);
    assert_eq!(record.error.unwrap().code, "poison");
    let kept: Vec<u8> = connection.get(&body).await.unwrap();
    assert_eq!(kept, b"\xff\x00 not an envelope");
    assert_sound(&fleet, &good).await;
}

/// Any client may write fields: one that is no UTF-8 stops neither its own job nor the next claim.
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_no_text_stops_nobody() {
    let fleet = Fleet::start().await.unwrap();
    let ids = fleet.enqueue(&[Script::of(10).job(), Script::of(10).job()]).await.unwrap();
    let (scripts, mut connection) = fleet.scripts();
    let job = scripts.keys().job(ids[0].as_str());
    let () = connection.hset(&job, "metadata", b"\xff\xfe".as_slice()).await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    assert_sound(&fleet, &ids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_envelope_waits_for_a_newer_worker() {
    let fleet = Fleet::start().await.unwrap();
    let ids = fleet.enqueue(&[Script::default().job()]).await.unwrap();
    let (scripts, mut connection) = fleet.scripts();
    let body = scripts.keys().body(ids[0].as_str());
    let () = connection.set(&body, r#"{"v":3,"dream":true}"#).await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let parked =
        async || fleet.record(&ids[0]).await.ok().filter(|record| record.state == State::Parked);
    let record = fleet.until("the job is parked", parked).await.unwrap();
    assert_eq!((record.reason.as_deref(), record.attempt), (Some("version"), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_uses_up_an_attempt_and_nothing_else() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let panics = Script { panic_at: 2, ..Script::of(20) }.job().with_max_attempts(2);
    let bad = fleet.enqueue(&[panics]).await.unwrap();
    let good = fleet.enqueue(&[Script::of(50).job(), Script::of(50).job()]).await.unwrap();
    let record = fleet.ended(&bad).await.unwrap().remove(0);
    assert_eq!((record.state, record.attempt, record.crashes), (State::Dead, 2, 0));
    assert_eq!(record.error.unwrap().code, "panic");
    assert_sound(&fleet, &good).await;
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
}

/// I10: a job that kills its worker dies of it, the third time in a process of its own: whoever shared its
/// first two crashes runs apart as well, and is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_aborts_its_worker_takes_nobody_with_it() {
    let fleet = Fleet::start().await.unwrap();
    let bad = fleet.enqueue(&[Script { abort_at: 1, ..Script::of(200) }.job()]).await.unwrap();
    let innocents: Vec<_> = (0..8).map(|_| Script::of(500).job()).collect();
    let good = fleet.enqueue(&innocents).await.unwrap();
    let mut workers = vec![
        fleet.worker("one", &six_calls()).await.unwrap(),
        fleet.worker("two", &six_calls()).await.unwrap(),
    ];
    let mut deaths = 0;
    // What a supervisor does: whoever has ended is started again.
    let mended = async || {
        for worker in &mut workers {
            if worker.has_ended() {
                deaths += 1;
                *worker = fleet.worker("again", &six_calls()).await.unwrap();
            }
        }
        let record = fleet.record(&bad[0]).await.ok()?;
        record.state.is_terminal().then_some(record)
    };
    let record = fleet.until("the aborting job has ended", mended).await.unwrap();
    assert_eq!((record.state, record.crashes), (State::Dead, 3));
    assert_eq!(record.error.unwrap().code, "crashed");
    assert_sound(&fleet, &good).await;
    assert_eq!(deaths, 2, "the third crash killed no worker");
    assert!(!workers.iter_mut().any(Worker::has_ended));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_call_ends_with_the_attempt() {
    let fleet = Fleet::start().await.unwrap();
    let options = WorkerOptions { budget_ms: 1000, ..six_calls() };
    let _worker = fleet.worker("worker", &options).await.unwrap();
    let hangs = Script { hang_at: 3, ..Script::of(20) }.job().with_max_attempts(2);
    let bad = fleet.enqueue(&[hangs]).await.unwrap();
    let record = fleet.ended(&bad).await.unwrap().remove(0);
    assert_eq!((record.state, record.attempt), (State::Dead, 2));
    assert_eq!(record.error.unwrap().code, "attempt-timeout");
    let starts = fleet.account().count(bad[0].as_str(), Act::CallStart);
    assert_eq!((starts[&1], starts[&3]), (1, 2), "finished calls are not repeated");
}

/// A wedged runtime is not kept alive by its own heartbeat: the process ends within a lease and a
/// tick, other workers go on, and it counts as a crash of the job that blocked it.
#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_runtime_ends_its_process() {
    let fleet = Fleet::start().await.unwrap();
    let mut blocked = fleet.worker("blocked", &six_calls()).await.unwrap();
    let bad = fleet.enqueue(&[Script { block_at: 1, ..Script::of(10) }.job()]).await.unwrap();
    let began = fleet.call_began(&bad[0], 1).await.unwrap();
    assert!(!blocked.end().await.unwrap(), "it aborts");
    let ended = fleet.now_ms().await.unwrap();
    assert!(ended - began.at < 3000 + 1500, "the process ended after {} ms", ended - began.at);
    let good = fleet.enqueue(&[Script::of(10).job()]).await.unwrap();
    let _other = fleet.worker("other", &WorkerOptions { slots: 1, ..six_calls() }).await.unwrap();
    assert_eq!(fleet.ended(&good).await.unwrap()[0].state, State::Done);
    let reaped = async || {
        let record = fleet.record(&bad[0]).await.ok()?;
        (record.crashes == 1).then_some(record)
    };
    fleet.until("its lease ran out and counts as a crash", reaped).await.unwrap();
}
