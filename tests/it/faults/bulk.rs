//! Many at once: nothing wedges, and claiming goes on.

use std::time::Duration;

use nix::sys::signal::Signal;
use queue::{Claim, ClaimRequest, Limits, Outcome, Report};
use stillcast_enqueue::{ErrorReport, Job, JobId, Submission};
use tests::fleet::{Fleet, WorkerOptions};
use tests::journal::Act;
use tests::script::Script;

use crate::support::{OPERATOR, six_calls};

/// A job without calls: it only passes through.
fn empty() -> Job {
    Script { calls: 0, ..Script::default() }.job()
}

async fn all_done(fleet: &Fleet, number: u64) {
    let done = async || (fleet.stats().await.ok()?.states.done == number).then_some(());
    fleet.until(&format!("{number} jobs are done"), done).await.unwrap();
    let finishes = fleet.account().entries().into_iter().filter(|e| e.act == Act::Finish).count();
    assert_eq!(u64::try_from(finishes).unwrap(), number, "each once");
    let stats = fleet.stats().await.unwrap();
    assert_eq!(stats.enqueued, stats.purged + stats.states.all(), "I1: {stats:?}");
}

/// 10,000 delayed jobs, all due in the same second.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_due_at_once() {
    let fleet = Fleet::start().await.unwrap();
    let due = chrono::Utc::now() + Duration::from_secs(5);
    let jobs: Vec<Job> = (0..10_000).map(|_| empty().with_run_at(due)).collect();
    fleet.enqueue(&jobs).await.unwrap();
    assert_eq!(fleet.stats().await.unwrap().states.delayed, 10_000, "all delayed");
    let _worker =
        fleet.worker("worker", &WorkerOptions { slots: 64, ..six_calls() }).await.unwrap();
    all_done(&fleet, 10_000).await;
}

/// 20,000 jobs pass their deadline in the same moment, and nobody claims: they end as fast as they came,
/// not by a handful each sixth of a lease, at the lease of production.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_expire_at_once() {
    let fleet = Fleet::start().await.unwrap();
    let (scripts, mut connection) = fleet.scripts();
    let mut pause = scripts.call(queue::Verb::Pause);
    let _: i64 = pause.arg("pause").arg(&OPERATOR).invoke_async(&mut connection).await.unwrap();
    let deadline = chrono::Utc::now() + Duration::from_secs(20);
    let jobs: Vec<Job> = (0..20_000).map(|_| empty().with_deadline(deadline)).collect();
    fleet.enqueue(&jobs).await.unwrap();
    let options = WorkerOptions { lease_ms: 30_000, ..six_calls() };
    let _worker = fleet.worker("worker", &options).await.unwrap();
    let expired = async || (fleet.stats().await.ok()?.states.expired == 20_000).then_some(());
    fleet.until("all have expired", expired).await.unwrap();
    let stats = fleet.stats().await.unwrap();
    assert_eq!(stats.enqueued, stats.purged + stats.states.all(), "I1: {stats:?}");
}

/// I16: work that came without a wake-up, such as a job that becomes due, is claimed within 3 s.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_marker_announces_is_claimed_within_three_seconds() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let registered = async || (fleet.stats().await.ok()?.workers == 1).then_some(());
    fleet.until("the worker is there", registered).await.unwrap();
    for _ in 0..3 {
        // Too far ahead for the enqueue to wake anybody.
        let due = chrono::Utc::now() + Duration::from_millis(2500);
        let ids = fleet.enqueue(&[empty().with_run_at(due)]).await.unwrap();
        let record = fleet.ended(&ids).await.unwrap().remove(0);
        let late = record.started_at.unwrap().timestamp_millis() - due.timestamp_millis();
        assert!((0..3000).contains(&late), "claimed {late} ms after it was due");
    }
}

/// What Redis has to do for 100 claims and their reports, in commands.
async fn commands_of_a_hundred(fleet: &Fleet) -> u64 {
    let (scripts, mut connection) = fleet.scripts();
    let before = fleet.server.told("total_commands_processed").await.unwrap();
    for _ in 0..100 {
        let nonce = JobId::generate().to_string();
        let lease_ttl = Duration::from_secs(30);
        let request = ClaimRequest { worker: "hand", nonce: &nonce, lease_ttl, held: 0 };
        let claim = scripts.claim(&mut connection, &request).await.unwrap();
        let job = if let Claim::Job(job) = claim { Some(job) } else { None };
        let job = job.expect("a job is ready");
        let report = Report::from(Outcome::Dead { error: ErrorReport::new("x", "x") });
        let calls = scripts.lease(connection.clone(), &job.id, &job.token);
        calls.report(&report, lease_ttl, &Limits::default()).await.unwrap();
    }
    fleet.server.told("total_commands_processed").await.unwrap() - before
}

/// With 50,000 jobs waiting, a claim costs Redis what it costs with few. A batch of 10,000 has one
/// answer a job, in order.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_waiting() {
    let fleet = Fleet::start().await.unwrap();
    let few: Vec<Job> = (0..110).map(|_| empty()).collect();
    fleet.enqueue(&few).await.unwrap();
    let of_few = commands_of_a_hundred(&fleet).await;
    for _ in 0..5 {
        let jobs: Vec<Job> = (0..10_000).map(|_| empty()).collect();
        let wanted: Vec<&JobId> = jobs.iter().map(|job| &job.id).collect();
        let results = fleet.producer.enqueue_many(&jobs).await;
        let answered: Vec<JobId> = results
            .into_iter()
            .map(|result| result.unwrap())
            .filter(|enqueued| matches!(enqueued.submission, Submission::Created(_)))
            .map(|enqueued| enqueued.id)
            .collect();
        assert_eq!(answered.iter().collect::<Vec<_>>(), wanted);
    }
    let of_many = commands_of_a_hundred(&fleet).await;
    assert!(of_few > 1000, "the commands of scripts are counted: {of_few}");
    assert!(of_many <= of_few + 20, "{of_many} commands with many waiting, {of_few} with few");
    let mut worker =
        fleet.worker("worker", &WorkerOptions { slots: 64, ..six_calls() }).await.unwrap();
    let some = async || (fleet.stats().await.ok()?.states.done >= 3000).then_some(());
    fleet.until("three thousand are done", some).await.unwrap();
    worker.signal(Signal::SIGTERM).unwrap();
    assert!(worker.end().await.unwrap());
    let stats = fleet.stats().await.unwrap();
    assert_eq!(stats.enqueued, stats.purged + stats.states.all(), "I1: {stats:?}");
    assert_eq!(
        (stats.enqueued, stats.states.leased, stats.states.dead),
        (50_110, 0, 200),
        "none lost, leased or dead"
    );
}
