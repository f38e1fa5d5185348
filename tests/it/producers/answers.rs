//! What a producer hears of one job: status, wait, cancel, and what only the server's clock knows.

use std::time::Duration;

use stillcast_enqueue::{CancelAnswer, EnqueueError, JobId, State, Waited};
use tests::fleet::{Fleet, WorkerOptions};
use tests::script::Script;

const WAIT_TIMEOUT: Duration = Duration::from_mins(1);

fn worker() -> WorkerOptions {
    WorkerOptions::of(env!("CARGO_BIN_EXE_six_calls"))
}

#[tokio::test(flavor = "multi_thread")]
async fn status_names_each_job_in_order_and_none_for_the_unknown() {
    let fleet = Fleet::start().await.unwrap();
    let jobs = [Script::default().job().with_tenant("acme"), Script::default().job()];
    let ids = fleet.enqueue(&jobs).await.unwrap();
    let asked = [ids[1].clone(), JobId::generate(), ids[0].clone()];
    let records = fleet.producer.status(&asked).await.unwrap();
    let tenants: Vec<_> =
        records.iter().map(|record| record.as_ref().map(|r| r.tenant.as_str())).collect();
    assert_eq!(tenants, [Some("default"), None, Some("acme")]);
    assert_eq!(records[0].as_ref().unwrap().state, State::Ready);
    assert_eq!(fleet.producer.status(&[]).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_answers_unknown_at_once_then_time_out_then_the_end() {
    let fleet = Fleet::start().await.unwrap();
    let unknown = fleet.producer.wait(&JobId::generate(), WAIT_TIMEOUT).await.unwrap();
    assert_eq!(unknown, Waited::Unknown);
    let ids = fleet.enqueue(&[Script::of(5).job()]).await.unwrap();
    let over = fleet.producer.wait(&ids[0], Duration::from_millis(50)).await.unwrap();
    assert_eq!(over, Waited::TimedOut);
    let _worker = fleet.worker("worker", &worker()).await.unwrap();
    let Waited::Ended(record) = fleet.producer.wait(&ids[0], WAIT_TIMEOUT).await.unwrap() else {
        unreachable!("a worker is there")
    };
    assert_eq!((record.state, record.attempt), (State::Done, 1));
    assert!(record.artifact.is_some() && record.started_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_says_what_it_found() {
    let fleet = Fleet::start().await.unwrap();
    let cancel = async |id: &JobId| fleet.producer.cancel(id).await.unwrap();
    assert_eq!(cancel(&JobId::generate()).await, CancelAnswer::Unknown);

    let later = chrono::Utc::now() + Duration::from_hours(1);
    let delayed = fleet.enqueue(&[Script::default().job().with_run_at(later)]).await.unwrap();
    assert_eq!(cancel(&delayed[0]).await, CancelAnswer::Cancelled);
    assert_eq!(cancel(&delayed[0]).await, CancelAnswer::Already(State::Cancelled));

    let _worker = fleet.worker("worker", &worker()).await.unwrap();
    let running = fleet.enqueue(&[Script { hang_at: 1, ..Script::default() }.job()]).await.unwrap();
    fleet.call_began(&running[0], 1).await.unwrap();
    assert_eq!(cancel(&running[0]).await, CancelAnswer::Cancelling);
    assert_eq!(fleet.ended(&running).await.unwrap()[0].state, State::Cancelled);

    let done = fleet.enqueue(&[Script::of(1).job()]).await.unwrap();
    fleet.ended(&done).await.unwrap();
    assert_eq!(cancel(&done[0]).await, CancelAnswer::Already(State::Done));
}

/// The deadline lies ahead when the job leaves, and behind when Redis reads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_judged_by_the_servers_clock() {
    let fleet = Fleet::start().await.unwrap();
    let mut pause = redis::cmd("CLIENT");
    let pause = pause.arg("PAUSE").arg(1000).arg("ALL");
    let () = pause.query_async(&mut fleet.connection()).await.unwrap();
    let deadline = chrono::Utc::now() + Duration::from_millis(500);
    let job = Script::default().job().with_deadline(deadline);
    assert_eq!(job.validate(), Ok(()), "this side sees nothing wrong");
    let answer = fleet.producer.enqueue(&job).await;
    let Err(EnqueueError::Invalid(invalid)) = answer else { unreachable!("{answer:?}") };
    assert_eq!(invalid.fields()[0].field, "deadline");
    assert_eq!(fleet.stats().await.unwrap().enqueued, 0, "nothing was written");
}
