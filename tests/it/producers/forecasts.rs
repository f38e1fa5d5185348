//! When is a job done? A real worker, jobs of very different lengths, and what was said beforehand.

use std::collections::BTreeMap;
use std::time::Duration;

use queue::{Endpoint, Inspector};
use stillcast_enqueue::{Job, JobId, State};
use tests::fleet::{Fleet, QUEUE, WorkerOptions};
use tests::script::Script;

/// Jobs by which the queue learns, and jobs that are foretold.
const LEARNED: usize = 60;
const FORETOLD: usize = 120;
/// The share of jobs that must end within what was said of them.
const WANTED: f64 = 0.8;

/// From a fifth of a second to one in six calls, in no order: long beside what a busy machine adds.
fn job(at: usize) -> Job {
    Script::of(30 + (at as u64 * 37) % 130).job()
}

fn jobs(count: usize) -> Vec<Job> {
    (0..count).map(job).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_a_jobs_end_holds_for_four_of_five() {
    let fleet = Fleet::start().await.unwrap();
    let options = WorkerOptions { slots: 8, ..WorkerOptions::of(env!("CARGO_BIN_EXE_six_calls")) };
    let _worker = fleet.worker("worker", &options).await.unwrap();
    let learned = fleet.enqueue(&jobs(LEARNED)).await.unwrap();
    fleet.ended(&learned).await.unwrap();
    let endpoint = Endpoint::new(&fleet.server.url(), QUEUE).unwrap();
    let told = async || {
        let inspector = Inspector::connect(endpoint.clone()).await.ok()?;
        let history = inspector.history(Duration::from_hours(1)).await.ok()?;
        (history.total.jobs.done >= 50).then_some(inspector)
    };
    // Workers tell every ten seconds; one that knows nothing yet remembers that for a while.
    let inspector = fleet.until("the worker has told what it did", told).await.unwrap();

    let ids = fleet.enqueue(&jobs(FORETOLD)).await.unwrap();
    let stats = inspector.forecast(inspector.stats().await.unwrap()).await.unwrap();
    let asked_ms = fleet.now_ms().await.unwrap();
    let empty_in = stats.empty_in.expect("a worker is there, and its jobs are known");
    let foretold = foretell(&fleet, &inspector, &ids).await;
    let records = fleet.ended(&ids).await.unwrap();
    let mut held = 0;
    for record in &records {
        assert_eq!(record.state, State::Done);
        let Some((from, to)) = foretold.get(&record.id) else { continue };
        let finished = record.finished_at.unwrap().timestamp_millis();
        held += usize::from((*from..=*to).contains(&finished));
    }
    let share = held as f64 / foretold.len() as f64;
    assert!(foretold.len() >= 100, "{} jobs were foretold", foretold.len());
    assert!(share >= WANTED, "{held} of {} ended when it was said", foretold.len());
    let last = records.iter().filter_map(|record| record.finished_at).max().unwrap();
    let took = (last.timestamp_millis() - asked_ms) as f64 / 1000.0;
    assert!((empty_in.from_s..=empty_in.to_s).contains(&took), "{took} s, said {empty_in:?}");
}

/// Asks of each job once, wherever it stands then: between which moments, in ms, it shall be done.
async fn foretell(
    fleet: &Fleet,
    inspector: &Inspector,
    ids: &[JobId],
) -> BTreeMap<String, (i64, i64)> {
    let mut foretold = BTreeMap::new();
    // The last ones first: they wait longest, and none has ended before it was asked of.
    for id in ids.iter().rev() {
        let record = inspector.record(id.as_str()).await.unwrap().unwrap();
        let now = fleet.now_ms().await.unwrap();
        let explained = inspector.explain(record).await.unwrap();
        if let Some(eta) = explained.eta {
            assert_eq!(explained.eta_s, Some(eta.middle_s()));
            #[expect(clippy::cast_possible_truncation, reason = "seconds from now")]
            let at = |seconds: f64| now + (seconds * 1000.0) as i64;
            foretold.insert(explained.id, (at(eta.from_s), at(eta.to_s) + 1));
        }
    }
    foretold
}
