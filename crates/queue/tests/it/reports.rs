//! `done`, `retry`, `park`, `dead` and `release`: the ways out of a lease for the worker that holds it.

use queue::Verb;

use crate::fixture::{Queue, Request, START, Words};

const WEEK: i64 = 7 * 24 * 3_600_000;

fn leased(queue: &mut Queue, id: &str) -> String {
    queue.put(id);
    queue.lease("anna", id)
}

#[test]
fn t6_a_parked_job_frees_the_slot_uses_no_attempt_and_keeps_its_rank() {
    for reason in ["provider", "rate", "budget", "version"] {
        let mut queue = Queue::start();
        let token = leased(&mut queue, "a");
        queue.advance(500);
        assert_eq!(queue.report("a", &token, &Words::park(reason, 1_000)), ["accepted", "parked"]);
        assert_eq!(
            (queue.field("a", "reason"), queue.field("a", "attempts")),
            (reason.into(), String::new())
        );
        assert!(!queue.dump().contains_key("leased"));
        queue.advance(999);
        assert_eq!(queue.claim("ben", "early", 0), ["empty", "1"]);
        queue.advance(1);
        assert_eq!(queue.claim("ben", "late", 0)[..2], ["job", "a"], "unpark: its time has come");
        assert_eq!(queue.field("a", "ready_ms"), START.to_string());
        assert_eq!(queue.field("a", "reason"), "");
    }
}

#[test]
fn t8_done_keeps_artifact_and_key_and_drops_the_body() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { key: "k".to_owned(), ..Request::new("a") }]);
    let token = queue.lease("anna", "a");
    queue.advance(10);
    assert_eq!(queue.report("a", &token, &Words::done()), ["accepted", "done"]);
    let dump = queue.dump();
    assert!(dump.contains_key("idem:t/k") && !dump.contains_key("body:a"));
    assert!(!dump.contains_key("deadlines") && !dump.contains_key("leased"));
    assert_eq!(queue.field("a", "artifact"), "{\"key\":\"x\"}");
    assert_eq!(queue.field("a", "finished_ms"), (START + 10).to_string());
    let trash = queue.key("trash");
    assert_eq!(queue.command::<i64>(&["ZSCORE", &trash, "t/a"]), START + 10);
}

#[test]
fn t9_a_retry_waits_uses_an_attempt_and_the_last_one_is_dead() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { max_attempts: 2, ..Request::new("a") }]);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.report("a", &token, &Words::retry(700)), ["accepted", "delayed"]);
    assert_eq!(
        (queue.field("a", "attempts"), queue.field("a", "error")),
        ("1".into(), "{\"code\":\"x\"}".into())
    );
    assert_eq!(queue.claim("anna", "early", 0), ["empty", "700"]);
    queue.advance(700);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.report("a", &token, &Words::retry(700)), ["accepted", "dead"]);
    assert_eq!(queue.field("a", "attempts"), "2");
}

#[test]
fn t10_the_dead_keep_error_and_body_for_a_week_and_free_the_key() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { key: "k".to_owned(), ..Request::new("a") }]);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.report("a", &token, &Words::dead()), ["accepted", "dead"]);
    assert_eq!(queue.field("a", "error"), "{\"code\":\"x\"}");
    assert!(!queue.dump().contains_key("idem:t/k"));
    let body = queue.scripts.keys().body("a");
    let left: i64 = queue.command(&["PTTL", &body]);
    assert!((WEEK - 60_000..=WEEK).contains(&left), "{left} ms");
    let trash = queue.key("trash");
    assert_eq!(
        queue.command::<i64>(&["ZSCORE", &trash, "t/a"]),
        START + WEEK,
        "folder and body go together"
    );
}

#[test]
fn t11_a_release_is_an_interruption_and_no_attempt_until_there_are_twenty() {
    let mut queue = Queue::start();
    queue.put("a");
    for stay in 1..20 {
        let token = queue.lease("anna", "a");
        assert_eq!(queue.report("a", &token, &Words::release()), ["accepted", "ready"], "{stay}");
    }
    assert_eq!(
        (queue.field("a", "interruptions"), queue.field("a", "attempts")),
        ("19".into(), String::new())
    );
    let token = queue.lease("anna", "a");
    assert_eq!(queue.report("a", &token, &Words::release()), ["accepted", "dead"]);
    assert_eq!(queue.field("a", "error"), "no-progress");
}

#[test]
fn t11_a_checkpoint_now_and_then_lets_a_job_be_released_for_ever() {
    let mut queue = Queue::start();
    queue.put("a");
    for stay in 0..60 {
        let token = queue.lease("anna", "a");
        if stay % 15 == 0 {
            queue.call(Verb::Checkpoint, &["a", &token, "", "", &format!("call{stay}"), "d"]);
        }
        assert_eq!(queue.report("a", &token, &Words::release()), ["accepted", "ready"], "{stay}");
    }
}

#[test]
fn every_report_may_be_repeated_and_changes_nothing_the_second_time() {
    let outcomes = [
        (Words::done(), "done"),
        (Words::retry(1_000), "delayed"),
        (Words::dead(), "dead"),
        (Words::park("rate", 1_000), "parked"),
        (Words::release(), "ready"),
    ];
    for (words, state) in outcomes {
        let mut queue = Queue::start();
        let token = leased(&mut queue, "a");
        assert_eq!(queue.report("a", &token, &words), ["accepted", state]);
        let before = queue.dump();
        assert_eq!(queue.report("a", &token, &words), ["accepted", state]);
        assert_eq!(queue.dump(), before);
        let other = if state == "done" { Words::dead() } else { Words::done() };
        assert_eq!(queue.report("a", &token, &other), ["stale", state], "another outcome is none");
        assert_eq!(queue.dump(), before);
    }
}

#[test]
fn a_repeated_report_is_accepted_even_after_the_next_claim() {
    let mut queue = Queue::start();
    let first = leased(&mut queue, "a");
    queue.report("a", &first, &Words::release());
    let second = queue.lease("ben", "a");
    assert_eq!(queue.report("a", &first, &Words::release()), ["accepted", "ready"]);
    queue.report("a", &second, &Words::done());
    assert_eq!(queue.report("a", &first, &Words::release()), ["stale", "done"]);
}

#[test]
fn done_beats_cancel_and_deadline_and_every_other_outcome_yields() {
    for (cancel, late, expected) in
        [(true, false, "cancelled"), (false, true, "expired"), (true, true, "cancelled")]
    {
        let others = [
            Words::retry(1),
            Words::dead(),
            Words::park("rate", 1),
            Words::release(),
            Words::done(),
        ];
        for words in others {
            let mut queue = Queue::start();
            queue.enqueue(&[Request { deadline: START + 100, ..Request::new("a") }]);
            let token = queue.lease("anna", "a");
            if cancel {
                assert_eq!(queue.call(Verb::Cancel, &["a"]), ["cancelling"]);
            }
            queue.advance(if late { 100 } else { 99 });
            let state = if words.outcome == "done" { "done" } else { expected };
            assert_eq!(queue.report("a", &token, &words), ["accepted", state], "{words:?}");
            assert_eq!(queue.state("a"), state);
        }
    }
}

#[test]
fn a_report_writes_stages_and_cost_beside_the_outcome() {
    let mut queue = Queue::start();
    let token = leased(&mut queue, "a");
    let cost = "{\"spent_usd\":2}";
    let words = ["20", "", "3", "a", &token, "park", "5", "rate", "{}", "", "[1]", cost, "0"];
    assert_eq!(queue.call(Verb::Report, &words), ["accepted", "parked"]);
    let hash = queue.hash("a");
    assert_eq!((hash["stages"].as_str(), hash["cost"].as_str()), ("[1]", "{\"spent_usd\":2}"));
    assert_eq!(hash["error"], "{}");
}

#[test]
fn a_report_that_is_told_to_go_on_keeps_its_cost() {
    let mut queue = Queue::start();
    let token = leased(&mut queue, "a");
    let cost = "{\"spent_usd\":2}";
    let words = ["20", "", "3", "a", &token, "park", "5", "flight", "", "", "[1]", cost, "1", "k"];
    assert_eq!(queue.call(Verb::Report, &words), ["go-on", ""]);
    assert_eq!(queue.state("a"), "leased");
    assert_eq!(queue.field("a", "cost"), "{\"spent_usd\":2}");
}
