//! What time alone decides: leases that run out, crashes and interruptions, gaps, expiry,
//! retention.

use queue::Verb;

use crate::fixture::{LEASE, Queue, Request, START, Words};

#[test]
fn every_worker_that_vanished_is_swept_however_many_there_are() {
    let mut queue = Queue::start();
    for at in 0..1_000 {
        queue.renew(&format!("worker{at}"), &[]);
    }
    queue.advance(61 * LEASE);
    let key = queue.key("workers");
    let left = |queue: &mut Queue| queue.command::<usize>(&["HLEN", &key]);
    let mut rounds = 0;
    while left(&mut queue) > 1 {
        queue.reap("reaper", false);
        rounds += 1;
        assert!(rounds < 200, "{} workers are never looked at", left(&mut queue));
    }
}

#[test]
fn a_deadline_without_a_waiting_job_makes_no_ghost() {
    let mut queue = Queue::start();
    queue.put("leased");
    queue.lease("anna", "leased");
    let deadlines = queue.key("deadlines");
    let _: i64 = queue.command(&["ZADD", &deadlines, "1", "lost", "1", "leased"]);
    assert_eq!(queue.reap("", false)[2], 0);
    let dump = queue.dump();
    assert!(!dump.contains_key("job:lost") && !dump.contains_key("deadlines"));
    assert_eq!(queue.state("leased"), "leased");
}
