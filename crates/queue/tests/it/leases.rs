//! Under a lease: begin, renew, checkpoint, progress; the token that every write carries.

use queue::Verb;

use crate::fixture::{LEASE, Queue, START, Words};

#[test]
fn every_write_is_refused_unless_the_whole_token_agrees() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.claim("anna", "n1", 0);
    queue.report("a", "1:n1", &Words::release());
    queue.claim("ben", "n2", 0);
    queue.call(Verb::Join, &["a", "2:n2", "k"]);
    let before = queue.dump();
    // An old token; the right fence with another nonce; the right nonce with another fence.
    for token in ["1:n1", "2:n1", "1:n2", "2:", ""] {
        assert_eq!(queue.call(Verb::Begin, &["a", token]), ["stale"], "{token}");
        assert_eq!(queue.call(Verb::Checkpoint, &["a", token, "", "", "c", "d"]), ["stale"]);
        assert_eq!(queue.call(Verb::Progress, &["a", token, "tts", "5", ""]), ["stale"]);
        assert_eq!(queue.call(Verb::Join, &["a", token, "k"]), ["stale"]);
        assert_eq!(queue.call(Verb::Land, &["a", token, "k", "stored"]), ["stale"]);
        assert_eq!(queue.report("a", token, &Words::done()), ["stale", "leased"]);
    }
    assert_eq!(queue.dump(), before, "nothing stale was written");
    assert_eq!(queue.renew("ben", &[("a".to_owned(), "1:n1".to_owned())]), ["stale"]);
    let leased = queue.key("leased");
    assert_eq!(queue.command::<i64>(&["ZSCORE", &leased, "a"]), START + LEASE);
}

#[test]
fn writes_to_a_job_that_does_not_exist_are_stale_and_make_none() {
    let mut queue = Queue::start();
    assert_eq!(queue.call(Verb::Begin, &["ghost", "1:n"]), ["stale"]);
    assert_eq!(queue.call(Verb::Checkpoint, &["ghost", "1:n", "", "", "c", "d"]), ["stale"]);
    assert_eq!(queue.call(Verb::Progress, &["ghost", "1:n", "tts", "5", ""]), ["stale"]);
    assert_eq!(queue.call(Verb::Join, &["ghost", "1:n", "k"]), ["stale"]);
    assert_eq!(queue.call(Verb::Land, &["ghost", "1:n", "k", "stored"]), ["stale"]);
    assert_eq!(queue.report("ghost", "1:n", &Words::done()), ["stale", ""]);
    assert!(queue.dump().is_empty());
}

#[test]
fn t4_one_renewal_prolongs_what_is_current_and_tells_of_cancels() {
    let mut queue = Queue::start();
    let ids = ["a", "b", "c"];
    let mut held = Vec::new();
    for id in ids {
        queue.put(id);
        held.push((id.to_owned(), queue.lease("anna", id)));
    }
    queue.call(Verb::Cancel, &["b"]);
    queue.report("c", &held[2].1, &Words::release());
    queue.advance(LEASE / 3);
    assert_eq!(queue.renew("anna", &held), ["ok", "cancel", "stale"]);
    let leased = queue.key("leased");
    let expiries: Vec<String> = queue.command(&["ZRANGE", &leased, "0", "-1", "WITHSCORES"]);
    let until = (queue.now + LEASE).to_string();
    assert_eq!(expiries, ["a", &until, "b", &until]);
}

#[test]
fn a_renewal_comes_in_time_until_the_reaper_came() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    let held = [("a".to_owned(), token)];
    queue.advance(2 * LEASE);
    assert_eq!(queue.renew("anna", &held), ["ok"], "nobody has taken the job yet");
    queue.reap(false);
    queue.outlive_lease();
    assert_eq!(queue.renew("anna", &held), ["stale"]);
}

#[test]
fn the_start_is_that_of_the_first_attempt() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    queue.call(Verb::Begin, &["a", &token]);
    queue.report("a", &token, &Words::release());
    queue.advance(1_000);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.field("a", "begun"), "", "a new attempt has not begun");
    queue.call(Verb::Begin, &["a", &token]);
    assert_eq!(queue.field("a", "started_ms"), START.to_string());
}

#[test]
fn t5_a_checkpoint_keeps_what_was_paid_until_then() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    let cost = "{\"spent_usd\":2}";
    assert_eq!(queue.call(Verb::Checkpoint, &["a", &token, cost, "", "image", "d"]), ["ok"]);
    assert_eq!(queue.call(Verb::Checkpoint, &["a", &token, "", "", "tts", "d"]), ["ok"]);
    assert_eq!(queue.field("a", "cost"), cost);
    let stale = ["a", "0:x", "{}", "", "tts", "d"];
    assert_eq!(queue.call(Verb::Checkpoint, &stale), ["stale"]);
    assert_eq!(queue.field("a", "cost"), cost, "a stale token changes nothing");
}

#[test]
fn t5_only_a_new_checkpoint_resets_crashes_and_interruptions() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.crash("anna", "a", 1);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.call(Verb::Checkpoint, &["a", &token, "", "", "call1", "d1"]), ["ok"]);
    assert_eq!(queue.field("a", "crashes"), "");
    queue.report("a", &token, &Words::release());
    queue.crash("ben", "a", 1);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.call(Verb::Checkpoint, &["a", &token, "", "", "call1", "d2"]), ["ok"]);
    assert_eq!(queue.field("a", "checkpoint:call1"), "d1", "the first writer wins");
    assert_eq!(queue.field("a", "crashes"), "1", "an old checkpoint is no progress");
    assert_eq!(queue.field("a", "stalls"), "1", "nor does it excuse an interruption");
    let both = ["a", &token, "", "", "call1", "d", "call2", "d"];
    assert_eq!(queue.call(Verb::Checkpoint, &both), ["ok"]);
    assert_eq!(queue.field("a", "crashes") + &queue.field("a", "stalls"), "");
}

#[test]
fn t5_words_grow_until_their_digest_is_kept() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    let key = queue.key("transcript:a");
    let mut words = |said: &str, name: &str| {
        let checkpoint = ["a", &token, "", said, name, "d"];
        assert_eq!(queue.call(Verb::Checkpoint, &checkpoint), ["ok"]);
        let connection = &mut queue.server.connect();
        redis::cmd("GET").arg(&key).query::<String>(connection).expect("a string")
    };
    assert_eq!(words("Breathe in.", "passage-1"), "Breathe in.");
    assert_eq!(words("", "passage-2"), "Breathe in.");
    assert_eq!(words("Breathe in. Breathe out.", "transcript"), "Breathe in. Breathe out.");
    assert_eq!(words("Breathe in.", "passage-3"), "Breathe in. Breathe out.", "they are whole");
}

#[test]
fn progress_and_every_change_of_state_are_announced() {
    let mut queue = Queue::start();
    let mut listener = queue.server.connect();
    let mut events = listener.as_pubsub();
    events.subscribe(&[queue.key("events"), queue.key("cancels")]).expect("a subscription");
    queue.put("a");
    let token = queue.lease("anna", "a");
    queue.call(Verb::Progress, &["a", &token, "tts", "40", ""]);
    assert_eq!(
        (queue.field("a", "stage"), queue.field("a", "percent")),
        ("tts".into(), "40".into())
    );
    queue.call(Verb::Cancel, &["a"]);
    queue.report("a", &token, &Words::release());
    let expected = ["a:ready", "a:leased", "a:leased", "a", "a:cancelled"];
    for event in expected {
        let heard: String = events.get_message().and_then(|m| m.get_payload()).expect("an event");
        assert_eq!(heard, event);
    }
}
