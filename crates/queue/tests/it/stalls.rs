//! Times without an answer, each of which is noted however soon it follows the last, and reaps that
//! need not be repeated.

use std::collections::BTreeMap;

use queue::Verb;

use crate::fixture::{LEASE, Queue};

/// Longer than half a lease, and than what is left of any.
const STALL: i64 = LEASE + 1;

/// A begun job of `worker`, leased now.
fn begun(queue: &mut Queue, worker: &str, id: &str) -> String {
    let token = queue.lease(worker, id);
    assert_eq!(queue.call(Verb::Begin, &[id, &token]), ["ok"]);
    token
}

/// Redis answers again after so long; the first worker that is back says so.
fn stall(queue: &mut Queue, ms: i64) {
    queue.advance(ms);
    queue.reap_after(ms);
}

#[test]
fn ten_stalls_in_a_row_count_no_crash() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.reap(false);
    for round in 1..=10 {
        begun(&mut queue, "bert", "a");
        stall(&mut queue, STALL);
        assert_eq!(queue.state("a"), "leased", "round {round}: its holder may still write");
        // The first of them is a gap, in which nothing is reaped for a whole lease.
        let held = if round == 1 { LEASE } else { LEASE / 6 };
        queue.advance(held - 1);
        assert_eq!(queue.reap(false).ended(), [0, 0], "round {round}");
        queue.advance(1);
        assert_eq!(queue.reap(false).ended(), [1, 0], "round {round}");
    }
    assert_eq!((queue.state("a"), queue.field("a", "crashes")), ("ready".into(), String::new()));
    assert_eq!(queue.field("a", "interruptions"), "10");
}

#[test]
fn a_holder_that_is_later_back_keeps_its_job() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.reap(false);
    stall(&mut queue, STALL);
    queue.advance(LEASE);
    let token = begun(&mut queue, "bert", "a");
    stall(&mut queue, STALL);
    queue.advance(LEASE / 6 - 1);
    queue.reap(false);
    assert_eq!(queue.renew("bert", &[("a".to_owned(), token)]), ["ok"]);
}

#[test]
fn a_lease_that_was_renewed_after_the_stall_can_crash() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.reap(false);
    let token = begun(&mut queue, "bert", "a");
    stall(&mut queue, LEASE / 2 + 1);
    queue.advance(1);
    queue.renew("bert", &[("a".to_owned(), token)]);
    assert_eq!(queue.outlive_lease().ended(), [1, 1]);
}

/// The only worker dies under a job again and again, and each start finds that nobody has reaped.
#[test]
fn a_worker_that_has_only_just_started_proves_no_stall() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.reap(false);
    queue.advance(STALL);
    assert_eq!(queue.reap(false).gap, 1, "the one gap in twenty leases");
    queue.advance(LEASE);
    queue.reap(false);
    begun(&mut queue, "bert", "a");
    queue.advance(STALL);
    assert_eq!(queue.reap(false).ended(), [1, 1]);
}

#[test]
fn a_silence_within_half_a_lease_is_no_stall() {
    let mut queue = Queue::start();
    queue.reap(false);
    queue.advance(LEASE / 2);
    assert_eq!(queue.reap_after(LEASE / 2).gap, 0);
    assert!(!queue.dump().contains_key("stall_at"));
}

#[test]
fn a_fresh_reap_is_not_repeated_and_the_next_is_on_time() {
    let (mut queue, fresh) = (Queue::start(), LEASE / 6);
    queue.put("a");
    assert!(queue.reap_unless(fresh).contains_key("leases"), "nobody ever reaped");
    begun(&mut queue, "bert", "a");
    for _ in 0..5 {
        queue.advance(fresh);
        assert!(queue.reap_unless(fresh).contains_key("leases"));
    }
    queue.advance(fresh - 100);
    let (before, now) = (queue.dump(), queue.now);
    let left = BTreeMap::from([("fresh".to_owned(), 100), ("now".to_owned(), now)]);
    assert_eq!(queue.reap_unless(fresh), left, "anna has reaped");
    assert_eq!(queue.dump(), before, "nothing is written");
    // The one who reaped until now is dead as well; the lease runs out just after the last reap.
    queue.advance(101);
    assert_eq!(queue.reap_unless(fresh)["leases"], 1, "at most a sixth of a lease late");
}
