//! SIGKILL: what a dead worker held goes on elsewhere, from its last checkpoint.

use tests::fleet::Fleet;
use tests::journal::Act;
use tests::script::Script;

use crate::support::{assert_sound, six_calls};

/// I7, I8: a kill in each of the six calls; recovery within L + L/6 and a claim.
#[tokio::test(flavor = "multi_thread")]
async fn kill_at_every_call_repeats_only_the_call_in_flight() {
    let fleet = Fleet::start().await.unwrap();
    for call in 1..=6 {
        let mut victim = fleet.worker("victim", &six_calls()).await.unwrap();
        let ids = fleet.enqueue(&[Script::of(400).job()]).await.unwrap();
        fleet.call_began(&ids[0], call).await.unwrap();
        let _heir = fleet.worker("heir", &six_calls()).await.unwrap();
        victim.kill().await.unwrap();
        let killed = fleet.now_ms().await.unwrap();
        let records = assert_sound(&fleet, &ids).await;
        let starts = fleet.account().count(ids[0].as_str(), Act::CallStart);
        for (number, times) in starts {
            assert_eq!(
                times,
                if number == call { 2 } else { 1 },
                "call {number}, killed in {call}"
            );
        }
        assert_eq!((records[0].attempt, records[0].crashes), (1, 0), "progress wipes the crash");
        let again = fleet.account().entries();
        let again = again.iter().rfind(|entry| entry.act == Act::Attempt).unwrap();
        assert!(again.at - killed < 3000 + 500 + 500, "recovered {} ms after", again.at - killed);
    }
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
    assert_eq!(
        fleet.account().on_their_way(),
        Vec::<String>::new(),
        "killed in the middle of a call"
    );
}

/// I10: what its handler had begun is charged for the death of its worker.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_counts_against_the_attempt_that_had_begun() {
    let fleet = Fleet::start().await.unwrap();
    let mut victim = fleet.worker("victim", &six_calls()).await.unwrap();
    let ids = fleet.enqueue(&[Script::of(20_000).job()]).await.unwrap();
    fleet.call_began(&ids[0], 1).await.unwrap();
    let _heir = fleet.worker("heir", &six_calls()).await.unwrap();
    victim.kill().await.unwrap();
    let ended = async || {
        let record = fleet.record(&ids[0]).await.ok()?;
        (record.crashes + record.interruptions > 0).then_some(record)
    };
    let record = fleet.until("the lease of the dead worker ends", ended).await.unwrap();
    assert_eq!((record.crashes, record.interruptions), (1, 0), "{record:?}");
}
