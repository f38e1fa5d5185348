//! Many jobs want the same: one pays.

use stillcast_enqueue::State;
use tests::fleet::Fleet;
use tests::journal::Act;
use tests::script::Script;

use crate::support::{assert_no_litter, six_calls};

/// Forty identical jobs on two workers: six calls in all.
#[tokio::test(flavor = "multi_thread")]
async fn identical_jobs_pay_once() {
    let fleet = Fleet::start().await.unwrap();
    let _one = fleet.worker("one", &six_calls()).await.unwrap();
    let _two = fleet.worker("two", &six_calls()).await.unwrap();
    let script = Script { flight: "same".to_owned(), ..Script::of(150) };
    let jobs: Vec<_> = (0..40).map(|_| script.job()).collect();
    let ids = fleet.enqueue(&jobs).await.unwrap();
    let records = fleet.ended(&ids).await.unwrap();
    assert!(records.iter().all(|record| record.state.as_str() == "done"));
    assert!(records.iter().all(|record| record.attempt == 1), "waiting is no attempt");
    let paid = fleet.account().entries().into_iter().filter(|e| e.act == Act::CallEnd).count();
    assert_eq!(paid, 6);
    assert_no_litter(&fleet, &ids).await;
}

/// The owner is killed in mid-call: a waiter takes over; only the call in flight is paid again.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_owner_is_succeeded_by_a_waiter() {
    let fleet = Fleet::start().await.unwrap();
    let script = Script { flight: "same".to_owned(), ..Script::of(500) };
    let mut owner = fleet.worker("owner", &six_calls()).await.unwrap();
    let first = fleet.enqueue(&[script.job()]).await.unwrap();
    fleet.call_began(&first[0], 2).await.unwrap();
    let _others = fleet.worker("others", &six_calls()).await.unwrap();
    let jobs: Vec<_> = (0..10).map(|_| script.job()).collect();
    let rest = fleet.enqueue(&jobs).await.unwrap();
    let parked = async || (fleet.stats().await.ok()?.states.parked > 0).then_some(());
    fleet.until("somebody waits for the owner", parked).await.unwrap();
    owner.kill().await.unwrap();
    let ids: Vec<_> = first.into_iter().chain(rest).collect();
    let records = fleet.ended(&ids).await.unwrap();
    assert!(records.iter().all(|record| record.state.as_str() == "done"));
    let entries = fleet.account().entries();
    let of = |act: Act| entries.iter().filter(|entry| entry.act == act).count();
    assert!(of(Act::CallStart) <= 7, "{} calls begun", of(Act::CallStart));
    assert_eq!(fleet.account().paid_twice(), Vec::<String>::new());
    assert_no_litter(&fleet, &ids).await;
}

/// The owner is cancelled, so that it never comes back: a waiter takes over within the bound of I16,
/// long before the backstop of 30 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_owner_is_succeeded_at_once() {
    let fleet = Fleet::start().await.unwrap();
    let _worker = fleet.worker("worker", &six_calls()).await.unwrap();
    let script = Script { flight: "same".to_owned(), ..Script::of(500) };
    let owner = fleet.enqueue(&[Script { hang_at: 2, ..script.clone() }.job()]).await.unwrap();
    fleet.call_began(&owner[0], 2).await.unwrap();
    let waiter = fleet.enqueue(&[script.job()]).await.unwrap();
    let parked = async || (fleet.stats().await.ok()?.states.parked == 1).then_some(());
    fleet.until("the other job waits for the owner", parked).await.unwrap();
    let asked = fleet.now_ms().await.unwrap();
    fleet.producer.cancel(&owner[0]).await.unwrap();
    let heir = fleet.call_began(&waiter[0], 2).await.unwrap();
    assert!(heir.at - asked < 1000 + 3000, "succeeded after {} ms", heir.at - asked);
    let record = fleet.ended(&waiter).await.unwrap().remove(0);
    assert_eq!(record.state, State::Done, "{record:?}");
    assert_no_litter(&fleet, &[owner, waiter].concat()).await;
}
