//! Many at once: nothing wedges, and claims go on.

use std::time::Duration;

use stillcast_enqueue::{Job, JobId, Submission};
use tests::fleet::{Fleet, WorkerOptions};
use tests::journal::Act;
use tests::script::Script;

use crate::support::six_calls;

/// A job without calls: it only passes through.
fn empty() -> Job {
    Script { calls: 0, ..Script::default() }.job()
}

async fn all_done(fleet: &Fleet, number: i64) {
    let done = async || (fleet.stats().await.ok()?[6] == number).then_some(());
    fleet.until(&format!("{number} jobs are done"), done).await.unwrap();
    let finishes = fleet.account().entries().into_iter().filter(|e| e.act == Act::Finish).count();
    assert_eq!(i64::try_from(finishes).unwrap(), number, "each once");
    let stats = fleet.stats().await.unwrap();
    assert_eq!(stats[0], stats[1..10].iter().sum::<i64>(), "I1: {stats:?}");
}

/// 10,000 delayed jobs, all due in the same second.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_due_at_once() {
    let fleet = Fleet::start().await.unwrap();
    let due = chrono::Utc::now() + Duration::from_secs(5);
    let jobs: Vec<Job> = (0..10_000).map(|_| empty().with_run_at(due)).collect();
    fleet.enqueue(&jobs).await.unwrap();
    assert_eq!(fleet.stats().await.unwrap()[2], 10_000, "all delayed");
    let _worker = fleet.worker("worker", &WorkerOptions { slots: 64, ..six_calls() }).unwrap();
    all_done(&fleet, 10_000).await;
}

/// 50,000 waiting jobs: a claim costs no more than with one. A batch of 10,000 has one answer a
/// job, in order.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_waiting() {
    let fleet = Fleet::start().await.unwrap();
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
    let _worker = fleet.worker("worker", &WorkerOptions { slots: 64, ..six_calls() }).unwrap();
    all_done(&fleet, 50_000).await;
}
