//! A claim for several slots: which jobs, how many, and what becomes of a reply that never arrived.

use queue::Verb;

use crate::fixture::{LEASE, Queue, Request};

/// A queue with so many ready jobs, `j00` first.
fn with_jobs(number: usize) -> Queue {
    let mut queue = Queue::start();
    for at in 0..number {
        queue.put(&format!("j{at:02}"));
        queue.advance(1);
    }
    queue
}

fn ids(jobs: &[Vec<String>]) -> Vec<&str> {
    jobs.iter().map(|job| job[0].as_str()).collect()
}

#[test]
fn each_free_slot_gets_the_next_job_in_rank() {
    let mut queue = with_jobs(3);
    queue.enqueue(&[Request { priority: 9, ..Request::new("urgent") }]);
    let (head, jobs) = queue.claim_many("anna", "n1", 0, 3);
    assert_eq!(head, ["jobs", "-1"]);
    assert_eq!(ids(&jobs), ["urgent", "j00", "j01"]);
    assert!(jobs.iter().all(|job| job[1] == "1:n1"), "{jobs:?}");
    assert_eq!(queue.claim("ben", "n2", 0)[..2], ["job", "j02"]);
    assert_eq!(queue.stats()["leased"], 4);
}

#[test]
fn a_worker_takes_no_more_than_its_share_of_what_waits() {
    let mut queue = with_jobs(7);
    for worker in ["anna", "ben", "cleo"] {
        queue.renew(worker, &[]);
    }
    let (_, jobs) = queue.claim_many("anna", "n1", 0, 20);
    assert_eq!(ids(&jobs), ["j00", "j01", "j02"], "a third of seven, and the one that is over");
    while queue.pop_wake() {}
    let (_, jobs) = queue.claim_many("ben", "n2", 0, 20);
    assert_eq!(jobs.len(), 2, "a third of four");
    assert!(queue.pop_wake(), "somebody is woken for what is left");
    let (_, jobs) = queue.claim_many("cleo", "n3", 0, 1);
    assert_eq!(jobs.len(), 1, "one slot, one job");
}

#[test]
fn a_call_takes_twenty_jobs_at_most_and_wakes_for_the_rest() {
    let mut queue = with_jobs(30);
    assert_eq!(queue.claim_many("anna", "n1", 0, 500).1.len(), 20);
    assert!(queue.pop_wake());
    assert_eq!(queue.claim_many("anna", "n2", 20, 500).1.len(), 10);
    assert!(!queue.pop_wake(), "nothing is left");
}

#[test]
fn a_repeated_claim_is_the_same_claim_whole_and_prolongs_nothing() {
    let mut queue = with_jobs(4);
    let first = queue.claim_many("anna", "n1", 0, 3);
    queue.advance(100);
    let (_, again) = queue.claim_many("anna", "n1", 0, 3);
    assert_eq!(ids(&again), ids(&first.1));
    assert_eq!(queue.stats()["leased"], 3);
    let leased = queue.key("leased");
    let expiry: i64 = queue.command(&["ZSCORE", &leased, "j00"]);
    assert_eq!(expiry, queue.now - 100 + LEASE);
    // One that was given up meanwhile is not lent again under the old token.
    queue.call(Verb::Cancel, &["j01"]);
    queue.report("j01", "1:n1", &crate::fixture::Words::release());
    let (_, left) = queue.claim_many("anna", "n1", 0, 3);
    assert_eq!(ids(&left), ["j00", "j02"]);
}

#[test]
fn what_is_over_its_deadline_is_ended_on_the_way_to_each_slot() {
    let mut queue = Queue::start();
    for at in 0..30 {
        let deadline = if at % 3 == 0 { queue.now + 10 } else { 0 };
        queue.enqueue(&[Request { deadline, ..Request::new(format!("j{at:02}")) }]);
    }
    queue.advance(10);
    let (_, jobs) = queue.claim_many("anna", "n1", 0, 15);
    assert_eq!(jobs.len(), 15);
    assert!(jobs.iter().all(|job| job[0][1..].parse::<u32>().expect("a number") % 3 > 0));
    assert!(queue.stats()["expired"] >= 7);
}

#[test]
fn four_claims_of_a_worker_may_be_on_their_way() {
    let mut queue = with_jobs(10);
    let claims = ["n1", "n2", "n3", "n4", "n5"];
    let brought = claims.map(|nonce| queue.claim_many("anna", nonce, 0, 2).1);
    for (nonce, jobs) in claims.into_iter().zip(&brought).skip(1) {
        let (_, again) = queue.claim_many("anna", nonce, 0, 2);
        assert_eq!(ids(&again), ids(jobs), "{nonce}");
    }
    let workers = queue.key("workers");
    let line: String = queue.command(&["HGET", &workers, "anna"]);
    assert!(line.contains("|n5;n4;n3;n2|j08,j09;"), "{line}");
}

#[test]
fn a_worker_that_signs_off_gives_back_the_whole_of_its_open_claims() {
    let mut queue = with_jobs(3);
    queue.claim_many("anna", "n1", 0, 2);
    queue.claim_many("anna", "n2", 2, 1);
    queue.call(Verb::Begin, &["j01", "1:n1"]);
    assert_eq!(queue.call(Verb::Drain, &["anna", "gone"]), ["2"], "but for what has begun");
    assert_eq!(queue.state("j00"), "ready");
    assert_eq!(queue.field("j00", "interruptions"), "", "uncounted");
    assert_eq!(queue.state("j01"), "leased");
}
