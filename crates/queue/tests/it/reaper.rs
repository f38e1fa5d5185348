//! What time alone decides: leases that run out, crashes and interruptions, gaps, expiry,
//! retention.

use std::time::Duration;

use queue::{Limits, Verb};

use crate::fixture::{LEASE, Queue, Reap, Request, START, Words};

/// A begun job whose lease was given before any reap.
fn begun(queue: &mut Queue, id: &str) -> String {
    queue.put(id);
    let token = queue.lease("anna", id);
    queue.call(Verb::Begin, &[id, &token]);
    token
}

#[test]
fn t12_a_lease_that_ran_out_is_ended_and_not_before() {
    let mut queue = Queue::start();
    queue.reap(false);
    begun(&mut queue, "a");
    for _ in 0..6 {
        queue.advance(LEASE / 6);
        assert_eq!(queue.reap(false).leases, 0);
    }
    queue.advance(1);
    assert_eq!(queue.reap(false).ended(), [1, 1]);
    assert_eq!((queue.state("a"), queue.field("a", "crashes")), ("ready".into(), "1".into()));
    assert_eq!(queue.field("a", "token"), "", "its token is void");
    assert_eq!(queue.field("a", "attempts"), "");
}

#[test]
fn t12_an_attempt_that_had_not_begun_is_interrupted() {
    let mut queue = Queue::start();
    queue.reap(false);
    queue.put("a");
    queue.lease("anna", "a");
    assert_eq!(queue.outlive_lease().ended(), [1, 0]);
    assert_eq!(
        (queue.field("a", "crashes"), queue.field("a", "interruptions")),
        (String::new(), "1".into())
    );
}

#[test]
fn t12_six_crashes_are_dead_with_the_reason() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.crash("anna", "a", 6);
    assert_eq!((queue.state("a"), queue.field("a", "error")), ("dead".into(), "crashed".into()));
}

#[test]
fn t12_twenty_interruptions_are_dead_with_the_reason() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.reap(false);
    for _ in 0..20 {
        queue.lease("anna", "a");
        assert_eq!(queue.outlive_lease().ended(), [1, 0]);
    }
    assert_eq!(
        (queue.state("a"), queue.field("a", "error")),
        ("dead".into(), "no-progress".into())
    );
}

#[test]
fn t12_cancel_and_deadline_beat_the_crash() {
    let mut queue = Queue::start();
    queue.reap(false);
    begun(&mut queue, "a");
    queue.call(Verb::Cancel, &["a"]);
    queue.enqueue(&[Request { deadline: START + LEASE, ..Request::new("b") }]);
    queue.lease("anna", "b");
    queue.outlive_lease();
    assert_eq!((queue.state("a"), queue.state("b")), ("cancelled".into(), "expired".into()));
}

#[test]
fn a_first_reap_only_sets_the_time() {
    let mut queue = Queue::start();
    begun(&mut queue, "a");
    queue.advance(10 * LEASE);
    assert_eq!(queue.reap(false).gap, 0, "no gap");
    assert_eq!(queue.state("a"), "ready", "so the lease that ran out is ended");
    assert!(!queue.dump().contains_key("gap_at"));
}

#[test]
fn a_stall_is_a_gap_for_exactly_one_lease() {
    let mut queue = Queue::start();
    queue.reap(false);
    begun(&mut queue, "a");
    queue.advance(LEASE / 2);
    assert_eq!(queue.reap(false).gap, 0, "half a lease is none");
    queue.advance(LEASE / 2 + 1);
    assert_eq!(queue.reap(false).done(), Reap { gap: 1, ..Reap::default() });
    queue.advance(LEASE - 1);
    assert_eq!(queue.reap(false).done(), Reap { gap: 1, ..Reap::default() });
    queue.advance(1);
    assert_eq!(
        queue.reap(false).done(),
        Reap { leases: 1, ..Reap::default() },
        "an interruption: it had no chance to renew"
    );
}

#[test]
fn a_clock_set_back_is_a_gap() {
    let mut queue = Queue::start();
    queue.reap(false);
    queue.advance(-1);
    assert_eq!(queue.reap(false).gap, 1);
    assert!(queue.dump().contains_key("gap_at"));
}

#[test]
fn a_clock_set_back_by_an_hour_does_not_lend_a_job_for_an_hour() {
    let mut queue = Queue::start();
    queue.reap(false);
    begun(&mut queue, "a");
    queue.advance(-3_600_000);
    assert_eq!(queue.reap(false).gap, 1);
    assert_eq!(queue.outlive_lease().ended(), [1, 0], "its holder is dead, by no fault of the job");
}

#[test]
fn there_is_at_most_one_gap_in_twenty_leases() {
    let mut queue = Queue::start();
    queue.reap(false);
    queue.advance(LEASE);
    assert_eq!(queue.reap(false).gap, 1);
    let gap_at = queue.key("gap_at");
    let first: i64 = queue.command(&["GET", &gap_at]);
    for stall in 1..=10 {
        queue.advance(2 * LEASE);
        assert_eq!(queue.reap(false).gap, 0, "stall {stall}, within twenty leases");
    }
    assert_eq!(queue.command::<i64>(&["GET", &gap_at]), first);
    queue.advance(LEASE);
    assert_eq!(queue.reap(false).gap, 1, "after twenty leases a gap counts again");
}

#[test]
fn a_lease_renewed_after_the_gap_can_crash_and_an_older_one_cannot() {
    let mut queue = Queue::start();
    queue.reap(false);
    let token = begun(&mut queue, "renewed");
    begun(&mut queue, "silent");
    queue.advance(LEASE - 1);
    assert_eq!(queue.reap(false).gap, 1);
    queue.advance(1);
    assert_eq!(queue.renew("anna", &[("renewed".to_owned(), token)]), ["ok"]);
    queue.outlive_lease();
    assert_eq!(
        (queue.field("renewed", "crashes"), queue.field("silent", "crashes")),
        ("1".into(), String::new())
    );
    assert_eq!(queue.field("silent", "interruptions"), "1");
}

#[test]
fn promotion_and_expiry_go_on_in_a_gap() {
    let mut queue = Queue::start();
    queue.reap(false);
    queue.enqueue(&[Request { run_at: START + 10, ..Request::new("due") }]);
    queue.enqueue(&[Request { deadline: START + 10, ..Request::new("late") }]);
    queue.advance(LEASE);
    assert_eq!(queue.reap(false).done(), Reap { expired: 1, gap: 1, ..Reap::default() });
    assert_eq!((queue.state("due"), queue.state("late")), ("ready".into(), "expired".into()));
}

#[test]
fn the_only_worker_of_a_folder_reaps_every_lease_at_its_start() {
    let mut queue = Queue::start();
    begun(&mut queue, "a");
    queue.advance(1);
    assert_eq!(queue.reap(true).leases, 1);
    assert_eq!(queue.state("a"), "ready");
}

#[test]
fn t14_every_waiting_job_past_its_deadline_is_swept_and_a_leased_one_is_not() {
    let mut queue = Queue::start();
    let deadline = START + 100;
    let late = |id: &str| Request { deadline, ..Request::new(id) };
    queue.enqueue(&[late("leased")]);
    queue.lease("anna", "leased");
    queue.enqueue(&[late("parked")]);
    let token = queue.lease("anna", "parked");
    queue.report("parked", &token, &Words::park("rate", 5_000));
    queue.enqueue(&[late("retried")]);
    let token = queue.lease("anna", "retried");
    queue.report("retried", &token, &Words::retry(5_000));
    queue.enqueue(&[late("ready"), Request { run_at: START + 99, ..late("delayed") }]);
    queue.advance(99);
    assert_eq!(queue.reap(false).expired, 0);
    queue.advance(1);
    assert_eq!(queue.reap(false).expired, 4);
    for id in ["parked", "retried", "ready", "delayed"] {
        assert_eq!(queue.state(id), "expired", "{id}");
        assert!(!queue.dump().contains_key(&format!("body:{id}")));
    }
    assert_eq!(queue.state("leased"), "leased");
}

#[test]
fn retention_ends_records_by_age_and_by_number_with_all_that_hung_on_them() {
    let mut queue = Queue::start();
    queue.limits = Limits {
        records_live: Duration::from_mins(1),
        max_records: 2,
        dead_live: Duration::from_secs(90),
        max_dead: 1,
        ..Limits::default()
    };
    for (id, words) in [("d1", Words::done()), ("d2", Words::done()), ("d3", Words::done())] {
        queue.enqueue(&[Request { key: id.to_owned(), ..Request::new(id) }]);
        let token = queue.lease("anna", id);
        queue.report(id, &token, &words);
        queue.advance(1);
    }
    let transcript = queue.key("transcript:d1");
    let _: () = queue.command(&["SET", &transcript, "words"]);
    assert_eq!(queue.reap(false).purged, 1, "three are one too many");
    let dump = queue.dump();
    let gone = ["job:d1", "idem:t/d1", "transcript:d1"];
    assert!(gone.iter().all(|key| !dump.contains_key(*key)), "the oldest goes, whole");
    assert!(dump.contains_key("idem:t/d2"));
    queue.advance(60_000);
    assert_eq!(queue.reap(false).purged, 2);
    queue.advance(24 * 3_600_000);
    for id in ["x1", "x2"] {
        queue.put(id);
        let token = queue.lease("anna", id);
        queue.report(id, &token, &Words::dead());
        queue.advance(1);
    }
    assert_eq!(queue.reap(false).purged, 1, "two dead are one too many");
    assert_eq!((queue.state("x1"), queue.state("x2")), (String::new(), "dead".into()));
    queue.advance(90_000);
    assert_eq!(queue.reap(false).purged, 1);
    let counts = queue.key("counts");
    assert_eq!(queue.command::<Vec<String>>(&["HMGET", &counts, "enqueued", "purged"]), ["5", "5"]);
}

#[test]
fn retention_takes_a_hundred_a_call_and_says_when_it_left_some() {
    let mut queue = Queue::start();
    for at in 0..150 {
        queue.put(&format!("x{at}"));
        queue.call(Verb::Cancel, &[&format!("x{at}")]);
    }
    queue.advance(25 * 3_600_000);
    let calls = [0; 2].map(|_| queue.reap(false)).map(|reaped| (reaped.purged, reaped.more));
    assert_eq!(calls, [(100, 1), (50, 0)]);
}

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
    while left(&mut queue) > 0 {
        queue.advance(60_000);
        queue.reap(false);
        rounds += 1;
        assert!(rounds < 200, "{} workers are never looked at", left(&mut queue));
    }
}

/// Behind a crowd that may wait for days, in calls of a bounded size.
#[test]
fn what_is_ready_for_a_day_is_found_by_its_rank() {
    const HOUR: i64 = 3_600_000;
    let mut queue = Queue::start();
    for at in 0..200 {
        let deadline = START + 240 * HOUR;
        queue.enqueue(&[Request { deadline, ..Request::new(format!("long{at}")) }]);
    }
    queue.advance(1);
    queue.put("day");
    queue.call(Verb::Pause, &["pause"]);
    assert!(!queue.dump().contains_key("deadlines"), "their rank tells");
    queue.advance(24 * HOUR - 1);
    queue.reap(false);
    assert_eq!(queue.state("day"), "ready", "a moment too early");
    queue.advance(1);
    let calls: Vec<_> = (0..4).map(|_| queue.reap(false)).collect();
    let expired: i64 = calls.iter().map(|reaped| reaped.expired).sum();
    assert_eq!((expired, queue.state("day").as_str()), (1, "expired"), "{calls:?}");
    assert_eq!(queue.stats()["ready"], 200);
    queue.advance(216 * HOUR);
    let calls: Vec<_> = (0..4).map(|_| queue.reap(false)).collect();
    assert_eq!(calls.iter().map(|reaped| reaped.expired).sum::<i64>(), 200, "{calls:?}");
}

#[test]
fn a_deadline_without_a_waiting_job_makes_no_ghost() {
    let mut queue = Queue::start();
    queue.put("leased");
    queue.lease("anna", "leased");
    let deadlines = queue.key("deadlines");
    let _: i64 = queue.command(&["ZADD", &deadlines, "1", "lost", "1", "leased"]);
    assert_eq!(queue.reap(false).expired, 0);
    let dump = queue.dump();
    assert!(!dump.contains_key("job:lost") && !dump.contains_key("deadlines"));
    assert_eq!(queue.state("leased"), "leased");
}

#[test]
fn the_work_folder_of_a_job_is_put_on_the_trash_once() {
    for state in ["done", "cancelled", "expired", "dead"] {
        let mut queue = Queue::start();
        let deadline = if state == "expired" { START + 10 } else { 0 };
        queue.enqueue(&[Request { deadline, ..Request::new("a") }]);
        match state {
            "cancelled" => drop(queue.call(Verb::Cancel, &["a"])),
            "expired" => queue.advance(10),
            _ => {
                let token = queue.lease("anna", "a");
                let words = if state == "done" { Words::done() } else { Words::dead() };
                queue.report("a", &token, &words);
            }
        }
        queue.reap(false);
        assert_eq!(queue.state("a"), state);
        let trash = queue.key("trash");
        let put: i64 = queue.command(&["ZREM", &trash, "t/a"]);
        assert_eq!(put, 1, "{state}: the end of the job puts it there, and the janitor takes it");
        queue.advance(91 * 24 * 3_600_000);
        assert_eq!(queue.reap(false).purged, 1, "{state}");
        let left: Vec<String> = queue.command(&["ZRANGE", &trash, "0", "-1"]);
        assert_eq!(left, Vec::<String>::new(), "{state}: retention puts it there again");
    }
}
