//! What a look at a queue says of the workers that it wants.

use queue::{Demand, Endpoint, Inspector, Verb};

use crate::fixture::{Queue, Standing, Words};

/// What the queue wants now.
fn demand(queue: &Queue) -> Demand {
    let endpoint = Endpoint::new(&queue.server.url(), "test").expect("an address");
    queue.server.block_on(async {
        let inspector = Inspector::connect(endpoint).await.expect("the server is there");
        let stats = inspector.stats().await.expect("numbers");
        let waits = inspector.waits(&stats).await.expect("what waits");
        inspector.demand(&stats, &waits).await.expect("a demand")
    })
}

/// A worker of four slots is heard.
fn is_heard(queue: &mut Queue, worker: &str, busy: i64, refused: &'static str) {
    queue.renew_as(worker, &Standing { slots: 4, busy, refused, probe: 0 }, &[]);
}

#[test]
fn a_worker_that_leaves_and_what_it_still_holds_want_none_in_their_place() {
    let mut queue = Queue::in_real_time();
    for id in ["a", "b", "c", "d", "e"] {
        queue.put(id);
    }
    queue.lease("anna", "a");
    queue.lease("bob", "b");
    queue.lease("bob", "c");
    is_heard(&mut queue, "anna", 1, "");
    is_heard(&mut queue, "bob", 2, "");
    is_heard(&mut queue, "cleo", 0, "");
    let all = demand(&queue);
    let wanted = Demand {
        waiting: 2,
        running: 3,
        holders: 2,
        workers: 3,
        slots_each: Some(4.0),
        job_s: None,
        held_back: false,
    };
    assert_eq!(all, wanted);
    queue.call(Verb::Drain, &["bob", "leaving"]);
    let left = demand(&queue);
    assert_eq!(left, Demand { running: 1, holders: 1, workers: 2, ..wanted });
}

#[test]
fn how_long_jobs_take_is_what_was_measured() {
    let mut queue = Queue::in_real_time();
    queue.call(Verb::Tally, &["attempt:audio:44", "4"]);
    assert_eq!(demand(&queue).job_s, None, "four say nothing");
    queue.call(Verb::Tally, &["attempt:video:44", "1"]);
    let job_s = demand(&queue).job_s.expect("five are known");
    assert!((job_s / 28.0 - 1.0).abs() < 0.1, "{job_s}");
}

#[test]
fn a_pause_a_refusal_and_a_limit_hold_the_fleet_back_and_one_job_over_a_limit_does_not() {
    let mut queue = Queue::in_real_time();
    queue.put("a");
    is_heard(&mut queue, "anna", 0, "");
    assert!(!demand(&queue).held_back);
    queue.call(Verb::Pause, &["pause"]);
    assert!(demand(&queue).held_back, "paused");
    queue.call(Verb::Pause, &["resume"]);
    is_heard(&mut queue, "anna", 0, "tts");
    assert!(demand(&queue).held_back, "refused");
    is_heard(&mut queue, "bob", 0, "");
    assert!(!demand(&queue).held_back, "one of them is not");
    queue.call(Verb::Drain, &["anna", "gone"]);
    // Bob has four slots.
    for (at, is_held_back) in [(1, false), (2, false), (3, false), (4, false), (5, true)] {
        let id = format!("limited-{at}");
        let token = queue.lease("bob", if at == 1 { "a" } else { &id });
        let words = Words::park("rate", 600_000);
        queue.report(if at == 1 { "a" } else { &id }, &token, &words);
        is_heard(&mut queue, "bob", 0, "");
        assert_eq!(demand(&queue).held_back, is_held_back, "{at} over the limit");
        queue.put(&format!("limited-{}", at + 1));
    }
}
