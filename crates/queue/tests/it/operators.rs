//! `cancel`, `replay` and `purge`: what a person does to a job, and what becomes of its idempotency key.

use queue::Verb;

use crate::fixture::{DEFAULT_DEADLINE, Queue, Request, START, Words};

fn keyed(id: &str) -> Request {
    Request { key: "k".to_owned(), ..Request::new(id) }
}

/// A dead job with the key `k`.
fn with_dead() -> Queue {
    let mut queue = Queue::start();
    queue.enqueue(&[keyed("a")]);
    let token = queue.lease("anna", "a");
    queue.call(Verb::Begin, &["a", &token]);
    queue.call(Verb::Checkpoint, &["a", &token, "", "", "call1", "d"]);
    queue.report("a", &token, &Words::dead());
    queue
}

#[test]
fn t13_what_waits_is_cancelled_at_once() {
    for state in ["ready", "delayed", "parked"] {
        let mut queue = Queue::start();
        let run_at = if state == "delayed" { START + 9_000 } else { 0 };
        queue.enqueue(&[Request { run_at, ..keyed("a") }]);
        if state == "parked" {
            let token = queue.lease("anna", "a");
            queue.report("a", &token, &Words::park("rate", 9_000));
        }
        assert_eq!(queue.state("a"), state);
        assert_eq!(queue.call(Verb::Cancel, &["a"]), ["cancelled"]);
        assert_eq!(queue.state("a"), "cancelled");
        let dump = queue.dump();
        let gone = ["ready", "delayed", "parked", "deadlines", "body:a", "idem:t/k"];
        assert!(gone.iter().all(|key| !dump.contains_key(*key)), "from {state}: {dump:?}");
        assert_eq!(queue.call(Verb::Cancel, &["a"]), ["already", "cancelled"]);
    }
}

#[test]
fn t13_what_runs_is_flagged_and_what_ended_stays() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    assert_eq!(queue.call(Verb::Cancel, &["a"]), ["cancelling"]);
    assert_eq!(queue.call(Verb::Cancel, &["a"]), ["cancelling"]);
    assert_eq!(queue.state("a"), "leased");
    queue.report("a", &token, &Words::done());
    assert_eq!(queue.call(Verb::Cancel, &["a"]), ["already", "done"]);
    assert_eq!(queue.field("a", "cancel"), "");
    assert_eq!(queue.call(Verb::Cancel, &["nobody"]), ["unknown"]);
}

#[test]
fn t15_a_replay_begins_anew_and_keeps_the_checkpoints() {
    let mut queue = with_dead();
    queue.advance(1_000);
    assert_eq!(queue.call(Verb::Replay, &["a"]), ["ready"]);
    let hash = queue.hash("a");
    assert_eq!(hash["ready_ms"], (START + 1_000).to_string());
    assert_eq!(hash["deadline_ms"], (START + 1_000 + DEFAULT_DEADLINE).to_string());
    assert_eq!(hash["checkpoint:call1"], "d");
    let reset = ["attempts", "crashes", "stalls", "interruptions", "error", "finished_ms"];
    assert!(reset.iter().all(|field| !hash.contains_key(*field)), "{hash:?}");
    let body = queue.scripts.keys().body("a");
    assert_eq!(queue.command::<i64>(&["PTTL", &body]), -1, "the body no longer dies");
    let dump = queue.dump();
    assert!(dump.contains_key("idem:t/k") && !dump.contains_key("trash"));
    assert!(queue.pop_wake());
    assert_eq!(queue.call(Verb::Replay, &["a"]), ["not-dead", "ready"]);
    assert_eq!(queue.claim("anna", "again", 0)[2], "2:again", "the fence goes on");
}

/// A dead job that had finished a call of each stage that pays.
fn with_dead_and_paid() -> Queue {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    for name in ["transcript", "tts", "passage-0a", "passage-0b", "image", "delivery"] {
        queue.call(Verb::Checkpoint, &["a", &token, "", "Some words.", name, "d"]);
    }
    queue.report("a", &token, &Words::dead());
    queue
}

#[test]
fn a_replay_from_a_stage_drops_what_is_built_on_it_and_keeps_the_rest() {
    for (from, kept) in [
        ("collection", vec![]),
        ("transcript", vec!["image"]),
        ("tts", vec!["image", "transcript"]),
        ("image", vec!["passage-0a", "passage-0b", "transcript", "tts"]),
        ("encode", vec!["image", "passage-0a", "passage-0b", "transcript", "tts"]),
        ("upload", vec!["image", "passage-0a", "passage-0b", "transcript", "tts"]),
    ] {
        let mut queue = with_dead_and_paid();
        assert_eq!(queue.replay_from("a", from, ["", ""]), ["ready"]);
        let hash = queue.hash("a");
        let left = hash.keys().filter_map(|field| field.strip_prefix("checkpoint:"));
        let mut left: Vec<&str> = left.collect();
        left.sort_unstable();
        assert_eq!(left, kept, "from {from}");
        let has_words = queue.dump().contains_key("transcript:a");
        assert_eq!(has_words, kept.contains(&"transcript"), "from {from}");
    }
}

#[test]
fn a_replay_changes_the_request_that_it_knows_and_no_other() {
    let mut queue = with_dead_and_paid();
    let key = queue.scripts.keys().body("a");
    let old: String = queue.command(&["GET", &key]);
    let before = queue.dump();
    let new = "{\"v\":1,\"options\":{\"voice\":\"ben\"}}";
    assert_eq!(queue.replay_from("a", "tts", ["{\"v\":0}", new]), ["changed"]);
    assert_eq!(queue.dump(), before);
    assert_eq!(queue.replay_from("a", "tts", [&old, new]), ["ready"]);
    assert_eq!(queue.command::<String>(&["GET", &key]), new);
    assert_eq!(queue.command::<i64>(&["PTTL", &key]), -1, "the body no longer dies");
    assert_eq!(queue.claim("anna", "again", 0)[3], new);
}

#[test]
fn t15_a_replay_needs_the_body_and_the_key() {
    let mut queue = with_dead();
    assert_eq!(queue.enqueue(&[keyed("b")]), ["created", "b", "ready"], "the dead freed the key");
    let before = queue.dump();
    assert_eq!(queue.call(Verb::Replay, &["a"]), ["duplicate", "b"]);
    assert_eq!(queue.dump(), before);
    queue.call(Verb::Cancel, &["b"]);
    let body = queue.scripts.keys().body("a");
    let _: i64 = queue.command(&["DEL", &body]);
    assert_eq!(queue.call(Verb::Replay, &["a"]), ["body-gone"]);
    assert_eq!(queue.call(Verb::Replay, &["nobody"]), ["unknown"]);
}

#[test]
fn a_purge_takes_the_whole_record_of_an_ended_job_only() {
    let mut queue = with_dead();
    queue.put("b");
    assert_eq!(queue.call(Verb::Purge, &["b"]), ["not-ended", "ready"]);
    queue.advance(5);
    assert_eq!(queue.call(Verb::Purge, &["a"]), ["purged"]);
    assert_eq!(queue.call(Verb::Purge, &["a"]), ["unknown"]);
    let dump = queue.dump();
    assert!(["job:a", "body:a", "dead"].iter().all(|key| !dump.contains_key(*key)));
    let trash = queue.key("trash");
    assert_eq!(queue.command::<i64>(&["ZSCORE", &trash, "t/a"]), START + 5, "its folder goes now");
}

#[test]
fn a_key_is_freed_only_while_it_names_the_job() {
    let mut queue = with_dead();
    queue.enqueue(&[keyed("b")]);
    queue.call(Verb::Purge, &["a"]);
    let key = queue.key("idem:t/k");
    assert_eq!(queue.command::<String>(&["GET", &key]), "b", "a's end does not free b's key");
    let token = queue.lease("anna", "b");
    queue.report("b", &token, &Words::done());
    assert_eq!(queue.enqueue(&[keyed("c")]), ["duplicate", "b", "done"]);
    queue.call(Verb::Purge, &["b"]);
    assert_eq!(queue.enqueue(&[keyed("c")]), ["created", "c", "ready"]);
}

#[test]
fn an_expired_job_frees_its_key() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { deadline: START + 10, ..keyed("a") }]);
    queue.advance(10);
    queue.reap(false);
    assert_eq!(queue.enqueue(&[keyed("b")]), ["created", "b", "ready"]);
}
