//! What every fault test asserts in the end.

use stillcast_enqueue::{JobId, JobRecord, State};
use tests::fleet::{Fleet, WorkerOptions};
use tests::journal::Act;

/// The six-call worker with every default.
pub(crate) fn six_calls() -> WorkerOptions {
    WorkerOptions::of(env!("CARGO_BIN_EXE_six_calls"))
}

/// Nothing lost, nothing completed twice, nothing begun under an old token; the books agree.
pub(crate) async fn assert_sound(fleet: &Fleet, ids: &[JobId]) -> Vec<JobRecord> {
    let records = fleet.ended(ids).await.unwrap();
    let account = fleet.account();
    for (id, record) in ids.iter().zip(&records) {
        assert_eq!(record.state, State::Done, "{id}: {record:?}");
        let ends = account.count(id.as_str(), Act::CallEnd);
        assert_eq!(ends.len(), 6, "{id}: calls answered {ends:?}");
    }
    assert_eq!(account.stale_starts().len(), 0, "a call began under an old token");
    let stats = fleet.stats().await.unwrap();
    assert_eq!(stats[0], stats[1..10].iter().sum::<i64>(), "I1: {stats:?}");
    assert_eq!(stats[5], 0, "leases left: {stats:?}");
    records
}
