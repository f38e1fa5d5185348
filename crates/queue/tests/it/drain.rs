//! A worker leaves: what it announces, what it gives back, what dies with it.

use queue::Verb;

use crate::fixture::Queue;

#[test]
fn a_claim_whose_reply_never_arrived_is_given_back() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.lease("anna", "a");
    assert_eq!(queue.call(Verb::Drain, &["anna", "gone"]), ["1"]);
    assert_eq!(queue.state("a"), "ready");
    assert!(!queue.dump().contains_key("workers"));
}

#[test]
fn a_claim_given_back_still_looks_at_cancel_then_deadline() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.lease("anna", "a");
    assert_eq!(queue.call(Verb::Cancel, &["a"]), ["cancelling"]);
    queue.call(Verb::Drain, &["anna", "gone"]);
    assert_eq!(queue.state("a"), "cancelled");

    queue.put("b");
    queue.lease("ben", "b");
    queue.advance(25 * 3_600_000);
    queue.call(Verb::Drain, &["ben", "gone"]);
    assert_eq!(queue.state("b"), "expired");
}

#[test]
fn what_dies_with_a_leaving_worker_is_no_crash() {
    for step in ["leaving", "gone"] {
        let mut queue = Queue::start();
        queue.put("a");
        queue.reap(false);
        let token = queue.lease("anna", "a");
        queue.call(Verb::Begin, &["a", &token]);
        queue.call(Verb::Drain, &["anna", step]);
        assert_eq!(queue.outlive_lease().ended(), [1, 0], "after {step}");
        assert_eq!(queue.field("a", "interruptions"), "1");
        assert_eq!(queue.field("a", "crashes"), "");
    }
}
