//! What every fault test asserts in the end.

use queue::verify;
use stillcast_enqueue::{JobId, JobRecord, State};
use tests::fleet::{Fleet, WorkerOptions};
use tests::journal::Act;

/// Who stops claims and lets them go on: by, interface, why.
pub(crate) const OPERATOR: [&str; 3] = ["anna", "cli", ""];

/// The six-call worker with every default.
pub(crate) fn six_calls() -> WorkerOptions {
    WorkerOptions::of(env!("CARGO_BIN_EXE_six_calls"))
}

/// Nothing lost, nothing completed twice, nothing begun under an old token, nothing paid again that was
/// kept; the books agree.
pub(crate) async fn assert_sound(fleet: &Fleet, ids: &[JobId]) -> Vec<JobRecord> {
    let records = fleet.ended(ids).await.unwrap();
    let account = fleet.account();
    for (id, record) in ids.iter().zip(&records) {
        assert_eq!(record.state, State::Done, "{id}: {record:?}");
        let ends = account.count(id.as_str(), Act::CallEnd);
        assert_eq!(ends.len(), 6, "{id}: calls answered {ends:?}");
    }
    assert_eq!(account.paid_though_kept(), Vec::<String>::new(), "kept, and paid again");
    assert_eq!(account.stale_starts().len(), 0, "a call began under an old token");
    let stats = fleet.stats().await.unwrap();
    assert_eq!(stats.enqueued, stats.purged + stats.states.all(), "I1: {stats:?}");
    assert_eq!(stats.states.leased, 0, "leases left: {stats:?}");
    assert_no_litter(fleet, ids).await;
    records
}

/// I14: an ended job leaves its record, a done one its key while the record lives, and its folder on the
/// trash once, and nothing else; nobody in the air, no flight, nothing that `verify` minds.
pub(crate) async fn assert_no_litter(fleet: &Fleet, ids: &[JobId]) {
    let (scripts, mut connection) = fleet.scripts();
    let all = async || {
        redis::cmd("KEYS")
            .arg("{q:*")
            .query_async::<Vec<String>>(&mut fleet.connection())
            .await
            .ok()
    };
    let mut keys = fleet.until("the server lists its keys", all).await.unwrap();
    keys.retain(|key| {
        let of_a_flight = key.contains(":flight:") || key.contains(":waiters:");
        let of_a_job = ids.iter().any(|id| key.ends_with(id.as_str()) && !key.contains(":job:"));
        of_a_flight || of_a_job || key.ends_with(":solo_hold") || key.ends_with(":landed")
    });
    assert_eq!(keys, Vec::<String>::new(), "litter");
    let members = async |key: &str| -> Vec<String> {
        let mut range = redis::cmd("ZRANGE");
        range.arg(scripts.keys().named(key)).arg(0).arg(-1);
        range.query_async(&mut fleet.connection()).await.unwrap()
    };
    let (deadlines, trash) = (members("deadlines").await, members("trash").await);
    for id in ids {
        assert!(!deadlines.iter().any(|other| other == id.as_str()), "{id} still has a deadline");
        let folders = trash.iter().filter(|folder| folder.ends_with(&format!("/{id}"))).count();
        assert_eq!(folders, 1, "work folders of {id} on the trash, and nobody empties it");
    }
    // Among them: an idempotency key names a job that lives and has it.
    let found = verify(&scripts, &mut connection).await.unwrap().violations;
    assert_eq!(found, [], "left behind");
}
