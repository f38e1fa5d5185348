//! A job under which two workers died is a suspect: it is claimed as any other, says so, and a crash of
//! its process that its worker has seen counts as one that the reaper finds.

use queue::Verb;

use crate::fixture::{LEASE, Queue, Words};

/// A queue with a job under which two workers died.
fn with_suspect() -> Queue {
    let mut queue = Queue::start();
    queue.put("suspect");
    queue.crash("anna", "suspect", 2);
    queue
}

/// Claimed and begun; its token.
fn begin(queue: &mut Queue, worker: &str, id: &str) -> String {
    let token = queue.lease(worker, id);
    assert_eq!(queue.call(Verb::Begin, &[id, &token]), ["ok"]);
    token
}

#[test]
fn a_suspect_is_claimed_as_any_other_and_says_so() {
    let mut queue = with_suspect();
    queue.put("other");
    let claimed = queue.claim("anna", "n1", 3);
    assert_eq!(claimed[..2], ["job", "suspect"], "beside three others, in its turn");
    let at = claimed.iter().position(|word| word == "crashes").expect("its hash says so");
    assert_eq!(claimed[at + 1], "2");
    assert_eq!(queue.claim("anna", "n2", 4)[..2], ["job", "other"]);
}

#[test]
fn the_third_crash_that_a_worker_reports_is_the_end() {
    let mut queue = Queue::start();
    queue.put("a");
    for crashes in ["1", "2"] {
        let token = begin(&mut queue, "anna", "a");
        assert_eq!(queue.report("a", &token, &Words::crash()), ["accepted", "ready"]);
        assert_eq!(queue.field("a", "crashes"), crashes);
    }
    let token = begin(&mut queue, "anna", "a");
    assert_eq!(queue.report("a", &token, &Words::crash()), ["accepted", "dead"]);
    assert_eq!(queue.field("a", "error"), "{\"code\":\"crashed\"}");
    assert_eq!(queue.field("a", "attempts"), "", "no attempt is used up");
    assert_eq!(queue.report("a", &token, &Words::crash()), ["accepted", "dead"], "repeated");
}

#[test]
fn crashes_count_alike_whoever_has_seen_them() {
    let mut queue = with_suspect();
    let token = begin(&mut queue, "anna", "suspect");
    assert_eq!(queue.report("suspect", &token, &Words::crash()), ["accepted", "dead"]);
}

/// Its attempt ran in a process of its own: what kills the worker then is hardly the job.
#[test]
fn the_death_of_a_suspect_s_worker_proves_little() {
    let mut queue = with_suspect();
    queue.crash("anna", "suspect", 3);
    assert_eq!(
        (queue.state("suspect").as_str(), &*queue.field("suspect", "crashes")),
        ("ready", "5")
    );
    queue.crash("anna", "suspect", 1);
    let error = queue.field("suspect", "error");
    assert_eq!(
        (queue.state("suspect").as_str(), &*error),
        ("dead", "crashed"),
        "the sixth is the end"
    );
}

#[test]
fn a_reported_crash_yields_to_a_cancel_and_to_a_stale_token() {
    let mut queue = with_suspect();
    let token = begin(&mut queue, "anna", "suspect");
    queue.call(Verb::Cancel, &["suspect"]);
    assert_eq!(queue.report("suspect", &token, &Words::crash()), ["accepted", "cancelled"]);
    let mut queue = with_suspect();
    let token = begin(&mut queue, "anna", "suspect");
    queue.outlive_lease();
    assert_eq!(queue.report("suspect", &token, &Words::crash()), ["stale", "ready"]);
    assert_eq!(queue.field("suspect", "crashes"), "3", "counted once");
}

#[test]
fn a_checkpoint_clears_the_suspicion() {
    let mut queue = with_suspect();
    let token = begin(&mut queue, "anna", "suspect");
    queue.call(Verb::Checkpoint, &["suspect", &token, "", "", "call1", "d"]);
    assert_eq!(queue.report("suspect", &token, &Words::crash()), ["accepted", "ready"]);
    assert_eq!(queue.field("suspect", "crashes"), "1");
}

/// Workers before this version put such jobs into a lane of their own, and reserved it.
#[test]
fn what_an_older_worker_left_in_solo_is_ready_at_the_next_reap() {
    let mut queue = with_suspect();
    let (ready, solo, hold) = (queue.key("ready"), queue.key("solo"), queue.key("solo_hold"));
    let rank: String = queue.command(&["ZSCORE", &ready, "suspect"]);
    let _: i64 = queue.command(&["ZREM", &ready, "suspect"]);
    let _: i64 = queue.command(&["ZADD", &solo, &rank, "suspect"]);
    let _: i64 = queue.command(&["HSET", &hold, "worker", "old", "until_ms", "9999999999999"]);
    assert_eq!(queue.stats()["ready"], 1, "depth counts it");
    assert_eq!(queue.claim("anna", "n1", 0)[0], "empty");
    while queue.pop_wake() {}
    queue.advance(LEASE / 6);
    queue.reap(false);
    assert!(queue.pop_wake(), "somebody is woken for it");
    assert_eq!(queue.command::<String>(&["ZSCORE", &ready, "suspect"]), rank, "at its rank");
    let dump = queue.dump();
    assert!(!dump.contains_key("solo") && !dump.contains_key("solo_hold"), "{dump:?}");
    assert_eq!(queue.claim("anna", "n2", 0)[..2], ["job", "suspect"]);
}

/// A person's wish reaches it there too.
#[test]
fn what_lies_in_solo_can_be_cancelled() {
    let mut queue = with_suspect();
    let (ready, solo) = (queue.key("ready"), queue.key("solo"));
    let _: i64 = queue.command(&["ZREM", &ready, "suspect"]);
    let _: i64 = queue.command(&["ZADD", &solo, "1", "suspect"]);
    assert_eq!(queue.call(Verb::Cancel, &["suspect"]), ["cancelled"]);
    assert!(!queue.dump().contains_key("solo"));
}
