//! `bulk` and `bulk_step`: one wish for many jobs, which each of them has once.

use queue::Verb;

use crate::arguments::violations;
use crate::fixture::{Queue, Words};

const HOLD: &str = "10000";

/// Five dead jobs, `a` to `e`.
fn with_dead() -> Queue {
    let mut queue = Queue::start();
    for id in ["a", "b", "c", "d", "e"] {
        queue.put(id);
        let token = queue.lease("anna", id);
        queue.report(id, &token, &Words::dead());
    }
    queue
}

fn begin(queue: &mut Queue, action: &str, jobs: &[&str]) {
    let begun =
        queue.call(Verb::Bulk, &["x", "begin", action, "state:dead", "", "ann", "api", "", "5"]);
    assert_eq!(begun, ["gathering"]);
    let mut words = vec!["x", "gather", "s1", HOLD];
    for job in jobs {
        words.extend(["1", job]);
    }
    assert_eq!(queue.call(Verb::Bulk, &words), ["gathering"]);
    assert_eq!(queue.call(Verb::Bulk, &["x", "run", "s1", HOLD]), ["running"]);
}

fn step(queue: &mut Queue, server: &str, most: &str) -> Vec<String> {
    queue.call(Verb::BulkStep, &["x", server, HOLD, most])
}

fn bulk(queue: &mut Queue, field: &str) -> String {
    let key = queue.key("bulk:x");
    queue.command::<Option<String>>(&["HGET", &key, field]).unwrap_or_default()
}

#[test]
fn each_job_has_it_once_whoever_does_it() {
    let mut queue = with_dead();
    begin(&mut queue, "replay", &["a", "b", "c", "d", "nobody"]);
    // Another wish may have come first.
    queue.call(Verb::Replay, &["b"]);
    assert_eq!(step(&mut queue, "s1", "2"), ["running", "2"]);
    assert_eq!([queue.state("a"), queue.state("b"), queue.state("c")], ["ready", "ready", "dead"]);
    // It dies again; it has had its replay.
    let token = queue.lease("anna", "a");
    queue.report("a", &token, &Words::dead());

    assert_eq!(step(&mut queue, "s2", "9"), ["held", "0"]);
    queue.advance(10_001);
    assert_eq!(step(&mut queue, "s2", "9"), ["done", "3"]);
    assert_eq!([queue.state("a"), queue.state("c"), queue.state("e")], ["dead", "ready", "dead"]);
    let counted = ["total", "granted", "refused:not-dead", "refused:unknown", "state"];
    assert_eq!(counted.map(|field| bulk(&mut queue, field)), ["5", "3", "1", "1", "done"]);
    assert_eq!(step(&mut queue, "s2", "9"), ["done", "0"]);
    assert_eq!(violations(&queue), []);
}

#[test]
fn what_has_begun_is_not_begun_again_and_gathers_no_more_once_it_runs() {
    let mut queue = with_dead();
    begin(&mut queue, "replay", &["a"]);
    let again = queue.call(Verb::Bulk, &["x", "begin", "purge", "", "", "ben", "api", "", "7"]);
    assert_eq!((again, bulk(&mut queue, "action")), (vec!["running".to_owned()], "replay".into()));
    let late = queue.call(Verb::Bulk, &["x", "gather", "s1", HOLD, "1", "e"]);
    assert_eq!(
        (late, step(&mut queue, "s1", "9")),
        (vec!["running".to_owned()], vec!["done".into(), "1".into()])
    );
    assert_eq!(queue.state("e"), "dead");
    assert_eq!(queue.call(Verb::Bulk, &["y", "run", "s1", HOLD]), ["unknown"]);
}

#[test]
fn one_that_is_stopped_does_nothing_more() {
    let mut queue = with_dead();
    begin(&mut queue, "replay", &["a", "b", "c"]);
    assert_eq!(step(&mut queue, "s1", "1"), ["running", "1"]);
    for _ in 0..2 {
        assert_eq!(queue.call(Verb::Bulk, &["x", "stop", "ben", "api", "enough"]), ["stopped"]);
    }
    assert_eq!(step(&mut queue, "s1", "9"), ["stopped", "0"]);
    assert_eq!([queue.state("a"), queue.state("b")], ["ready", "dead"]);
    let dump = queue.dump();
    assert!(!dump.contains_key("bulk_jobs:x") && !dump.contains_key("bulks"), "{dump:?}");
    assert_eq!(violations(&queue), []);
}

#[test]
fn a_purge_removes_the_jobs_whose_files_are_gone_and_counts_the_others() {
    let mut queue = with_dead();
    begin(&mut queue, "purge", &["a", "b", "c"]);
    let done =
        queue.call(Verb::BulkStep, &["x", "s1", HOLD, "3", "a", "gone", "b", "stay", "e", "gone"]);
    assert_eq!(done, ["running", "2"], "`e` is none of its jobs");
    queue.call(Verb::Replay, &["c"]);
    assert_eq!(queue.call(Verb::BulkStep, &["x", "s1", HOLD, "1", "c", "gone"]), ["done", "1"]);
    assert_eq!(["a", "b", "c", "e"].map(|id| queue.state(id)), ["", "dead", "ready", "dead"]);
    let counted = ["granted", "refused:files", "refused:not-ended"];
    assert_eq!(counted.map(|field| bulk(&mut queue, field)), ["1", "1", "1"]);
    assert_eq!(violations(&queue), []);
}

#[test]
fn what_waits_is_cancelled_and_what_runs_is_told() {
    let mut queue = with_dead();
    queue.put("f");
    queue.put("g");
    queue.lease("anna", "f");
    begin(&mut queue, "cancel", &["f", "g", "a"]);
    assert_eq!(step(&mut queue, "s1", "100"), ["done", "3"]);
    assert_eq!(["f", "g", "a"].map(|id| queue.state(id)), ["leased", "cancelled", "dead"]);
    assert_eq!(
        (queue.field("f", "cancel"), bulk(&mut queue, "refused:already")),
        ("1".into(), "1".into())
    );
    assert_eq!(violations(&queue), []);
}
