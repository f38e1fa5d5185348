//! The end of a job is owed to whoever wants to be told, until it is delivered, given up or turned off.

use queue::Verb;

use crate::fixture::{Queue, RECEIVER, Request, START, TOLD, Words};
use crate::model::webhooks::{SENDER_LEASE, TRIES};
use crate::verify::look;

/// A job that wants its end told, ended by `words`.
fn ended(queue: &mut Queue, id: &str, words: &Words) {
    queue.enqueue(&[Request { body: TOLD.to_owned(), ..Request::new(id) }]);
    let token = queue.lease("anna", id);
    queue.report(id, &token, words);
}

/// Takes the one delivery that is due; its token and its event.
fn take(queue: &mut Queue, id: &str) -> (String, String) {
    let nonce = format!("n{}", queue.now);
    let answer = queue.notify(&nonce, 100);
    assert_eq!(answer.len(), 14, "{answer:?}");
    assert_eq!((answer[1].as_str(), answer[5].as_str()), (id, RECEIVER));
    (answer[2].clone(), answer[4].clone())
}

fn nothing_is_due(queue: &mut Queue) {
    assert_eq!(queue.notify("none", 100).len(), 1);
}

#[test]
fn whatever_ends_a_job_owes_its_end() {
    let mut queue = Queue::start();
    let deadline = START + 10;
    queue.enqueue(&[Request { body: TOLD.to_owned(), deadline, ..Request::new("late") }]);
    queue.enqueue(&[Request { body: TOLD.to_owned(), run_at: START + 99, ..Request::new("cut") }]);
    queue.advance(10);
    queue.reap(false);
    queue.call(Verb::Cancel, &["cut"]);
    ended(&mut queue, "good", &Words::done());
    ended(&mut queue, "bad", &Words::dead());
    queue.enqueue(&[Request { body: TOLD.to_owned(), ..Request::new("bug") }]);
    queue.crash("anna", "bug", 6);
    queue.put("silent");
    queue.call(Verb::Cancel, &["silent"]);
    let answer = queue.notify("n", 100);
    let rows = answer[1..].chunks(13);
    let mut told: Vec<_> = rows.map(|row| (row[0].as_str(), row[6].as_str())).collect();
    told.sort_unstable();
    let expected = [
        ("bad", "dead"),
        ("bug", "dead"),
        ("cut", "cancelled"),
        ("good", "done"),
        ("late", "expired"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_failure_is_due_again_and_the_last_one_is_kept_as_exhausted() {
    let mut queue = Queue::start();
    ended(&mut queue, "a", &Words::done());
    let mut events = Vec::new();
    for at in 0..TRIES {
        let (token, event) = take(&mut queue, "a");
        assert_eq!(token, format!("{}:n{}", at + 1, queue.now));
        nothing_is_due(&mut queue);
        assert_eq!(queue.notified("a", &token, "failed", 5_000), ["ok", "due"]);
        assert_eq!(queue.notified("a", &token, "delivered", 0), ["stale", ""], "reported once");
        queue.advance(4_999);
        nothing_is_due(&mut queue);
        queue.advance(1);
        events.push(event);
    }
    assert!(events.iter().all(|event| *event == events[0] && event.starts_with("evt_")));
    nothing_is_due(&mut queue);
    assert_eq!(queue.field("a", "delivery"), "exhausted");
    assert_eq!(look(&queue).violations.len(), 1, "the tests' clock alone");
}

#[test]
fn a_sender_that_dies_gives_its_deliveries_back() {
    let mut queue = Queue::start();
    ended(&mut queue, "a", &Words::done());
    let (lost, event) = take(&mut queue, "a");
    queue.advance(SENDER_LEASE - 1);
    nothing_is_due(&mut queue);
    queue.advance(1);
    let (token, again) = take(&mut queue, "a");
    assert_eq!(event, again);
    assert_eq!(queue.notified("a", &lost, "failed", 1), ["stale", ""]);
    assert_eq!(queue.notified("a", &token, "delivered", 0), ["ok", "delivered"]);
    assert_eq!(queue.field("a", "delivery"), "delivered");
}

#[test]
fn an_endpoint_that_wants_no_more_is_off_until_a_person_sends_again() {
    let mut queue = Queue::start();
    ended(&mut queue, "a", &Words::done());
    let (token, _) = take(&mut queue, "a");
    assert_eq!(queue.notified("a", &token, "off", 0), ["ok", "off"]);
    ended(&mut queue, "b", &Words::done());
    nothing_is_due(&mut queue);
    assert_eq!(queue.field("b", "delivery"), "off");
    let other = Request { tenant: "u".to_owned(), body: TOLD.to_owned(), ..Request::new("c") };
    queue.enqueue(&[other]);
    queue.call(Verb::Cancel, &["c"]);
    let (theirs, _) = take(&mut queue, "c");
    queue.notified("c", &theirs, "delivered", 0);
    assert_eq!(queue.call(Verb::Resend, &["b"]), ["due"]);
    let (token, _) = take(&mut queue, "b");
    assert_eq!(queue.notified("b", &token, "delivered", 0), ["ok", "delivered"]);
    ended(&mut queue, "d", &Words::done());
    take(&mut queue, "d");
}

#[test]
fn a_crowd_of_endpoints_that_are_off_does_not_fill_redis() {
    let mut queue = Queue::start();
    let off = queue.key("webhooks_off");
    for at in 0..1_000 {
        let _: i64 = queue.command(&["HSET", &off, &format!("t https://{at}.org"), "1"]);
    }
    ended(&mut queue, "a", &Words::done());
    let (token, _) = take(&mut queue, "a");
    assert_eq!(queue.notified("a", &token, "off", 0), ["ok", "off"]);
    let kept: usize = queue.command(&["HLEN", &off]);
    assert_eq!(kept, 1_000);
}

#[test]
fn a_resend_is_one_attempt_at_once() {
    let mut queue = Queue::start();
    assert_eq!(queue.call(Verb::Resend, &["a"]), ["unknown"]);
    queue.put("a");
    assert_eq!(queue.call(Verb::Resend, &["a"]), ["none"]);
    queue.enqueue(&[Request { body: TOLD.to_owned(), ..Request::new("b") }]);
    assert_eq!(queue.call(Verb::Resend, &["b"]), ["not-ended", "ready"]);
    queue.call(Verb::Cancel, &["b"]);
    let (token, event) = take(&mut queue, "b");
    assert_eq!(queue.call(Verb::Resend, &["b"]), ["due"], "it is under way");
    nothing_is_due(&mut queue);
    queue.notified("b", &token, "failed", 60_000);
    assert_eq!(queue.call(Verb::Resend, &["b"]), ["due"]);
    let (token, _) = take(&mut queue, "b");
    assert_eq!(queue.notified("b", &token, "delivered", 0), ["ok", "delivered"]);
    assert_eq!(queue.call(Verb::Resend, &["b"]), ["due"]);
    let (token, again) = take(&mut queue, "b");
    assert_eq!(event, again, "it is the same event");
    assert_eq!(queue.notified("b", &token, "failed", 5_000), ["ok", "exhausted"]);
}

#[test]
fn what_nobody_can_sign_uses_no_attempt_and_is_taken_last() {
    let mut queue = Queue::start();
    ended(&mut queue, "a", &Words::done());
    for _ in 0..2 * TRIES {
        let (token, _) = take(&mut queue, "a");
        assert!(token.starts_with("1:"), "{token}");
        assert_eq!(queue.notified("a", &token, "held", 1_000), ["ok", "no-secret"]);
        queue.advance(1_000);
    }
    let unsigned = ["n", "100", "60000", "10", "60000"];
    assert_eq!(queue.call(Verb::Notify, &unsigned).len(), 1, "who can sign comes first");
    queue.advance(60_000);
    assert_eq!(queue.call(Verb::Notify, &unsigned).len(), 14);
}

#[test]
fn a_replayed_job_that_ends_again_is_another_event() {
    let mut queue = Queue::start();
    ended(&mut queue, "a", &Words::dead());
    let (first, old) = take(&mut queue, "a");
    assert_eq!(queue.call(Verb::Replay, &["a"]), ["ready"]);
    let token = queue.lease("anna", "a");
    queue.report("a", &token, &Words::done());
    assert_eq!(queue.notified("a", &first, "delivered", 0), ["stale", ""]);
    queue.advance(1);
    let answer = queue.notify("m", 100);
    assert_eq!(answer[7], "done");
    assert_ne!(answer[4], old);
}

#[test]
fn what_is_owed_outlives_the_record_but_no_purge() {
    let mut queue = Queue::start();
    for id in ["kept", "purged"] {
        ended(&mut queue, id, &Words::done());
    }
    queue.call(Verb::Purge, &["purged"]);
    queue.advance(25 * 3_600_000);
    queue.reap(false);
    assert_eq!(queue.state("kept"), "", "its record is gone");
    assert_eq!(look(&queue).violations.len(), 1, "the tests' clock alone");
    let (token, _) = take(&mut queue, "kept");
    assert_eq!(queue.notified("kept", &token, "delivered", 0), ["ok", "delivered"]);
    let left: Vec<String> =
        queue.dump().into_keys().filter(|key| key.contains("webhook")).collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn only_so_many_attempts_and_answers_are_kept() {
    let mut queue = Queue::start();
    ended(&mut queue, "a", &Words::done());
    let (token, _) = take(&mut queue, "a");
    queue.notified("a", &token, "exhausted", 0);
    for _ in 0..29 {
        queue.call(Verb::Resend, &["a"]);
        let (token, _) = take(&mut queue, "a");
        queue.notified("a", &token, "failed", 1);
        queue.advance(1);
    }
    let key = queue.scripts.keys().webhook("a");
    let fields: Vec<String> = queue.command(&["HKEYS", &key]);
    let count = |word: &str| fields.iter().filter(|field| field.starts_with(word)).count();
    assert_eq!((count("attempt"), count("answer")), (16, 3));
    assert!(fields.contains(&"attempt30".to_owned()), "{fields:?}");
}
