//! `enqueue`, `promote` and `claim`: what enters, in which order it is claimed, and who is woken for it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use queue::Verb;
use serde_json::Value as Json;
use stillcast_enqueue::digest::digest_of;

use crate::fixture::{DEFAULT_DEADLINE, LEASE, Queue, Request, START, Words, for_any};

#[test]
fn t1_a_request_enters_once_however_often_it_is_sent() {
    let mut queue = Queue::start();
    let request = Request { key: "evening".to_owned(), ..Request::new("a") };
    assert_eq!(queue.enqueue(std::slice::from_ref(&request)), ["created", "a", "ready"]);
    let before = queue.dump();
    assert_eq!(queue.enqueue(std::slice::from_ref(&request)), ["duplicate", "a", "ready"]);
    let other_id = Request { id: "b".to_owned(), ..request.clone() };
    assert_eq!(queue.enqueue(&[other_id]), ["duplicate", "a", "ready"]);
    let other_body =
        Request { id: "c".to_owned(), body: "{\"x\":1}".to_owned(), ..request.clone() };
    assert_eq!(queue.enqueue(&[other_body]), ["mismatch", "a", "ready"]);
    let same_id = Request { body: "{\"x\":1}".to_owned(), ..Request::new("a") };
    assert_eq!(queue.enqueue(&[same_id]), ["mismatch", "a", "ready"]);
    assert_eq!(queue.dump(), before, "none of them wrote anything");
    let other_tenant = Request { id: "d".to_owned(), tenant: "u".to_owned(), ..request };
    assert_eq!(queue.enqueue(&[other_tenant]), ["created", "d", "ready"]);
}

/// The same request by another encoder, or by another version of one: each pair is one request, or two.
#[test]
fn t1_a_request_is_the_same_however_it_is_written() {
    const FIRST: &str = r#"{"v":1,"source":{"text":"A käse."},"format":"audio","options":{}}"#;
    let table = [
        (r#"{"v":1,"source":{"text":"A käse."},"format":"audio"}"#, "duplicate"),
        (r#"{"format":"audio", "v":1, "source":{"text":"A k\u00e4se."}}"#, "duplicate"),
        (r#"{"v":1.0,"source":{"text":"A käse."},"format":"audio","options":null}"#, "duplicate"),
        (
            r#"{"v":1,"source":{"text":"A käse."},"format":"audio","options":{"variant":0}}"#,
            "duplicate",
        ),
        (
            r#"{"v":1,"source":{"text":"A käse."},"format":"audio","options":{"variant":1}}"#,
            "mismatch",
        ),
        (r#"{"v":1,"source":{"text":"A kase."},"format":"audio","options":{}}"#, "mismatch"),
        (r#"{"v":1,"source":{"text":"A käse."},"format":"video","options":{}}"#, "mismatch"),
        (r#"{"v":1,"source":"text","format":"audio","options":{}}"#, "mismatch"),
        (r#"{"v":1,"source":{"text":["A käse."]},"format":"audio","options":{}}"#, "mismatch"),
        (
            r#"{"v":1,"source":{"text":"A käse."},"format":"audio","options":{"x":false}}"#,
            "mismatch",
        ),
        ("no JSON", "mismatch"),
    ];
    // Today's script first, then yesterday's: what that wrote has no digest but of its bytes.
    for source in [None, Some(include_str!("../golden/enqueue-v1.lua"))] {
        let mut queue = source.map_or_else(Queue::start, Queue::with_enqueue);
        let first =
            Request { body: FIRST.to_owned(), key: "k".to_owned(), ..Request::new("first") };
        assert_eq!(queue.enqueue(std::slice::from_ref(&first))[0], "created");
        queue.replace_enqueue(include_str!("../../../enqueue/lua/enqueue.lua"));
        for (body, word) in table {
            let again = Request { id: "again".to_owned(), body: body.to_owned(), ..first.clone() };
            let answer = queue.enqueue(&[again]);
            assert_eq!(answer, [word, "first", "ready"], "{body}");
        }
        // Done, its body is gone, and its key stays.
        let token = queue.lease("anna", "first");
        queue.report("first", &token, &Words::done());
        let (body, known) = (table[1].0.to_owned(), source.is_none());
        let other = Request { id: "again".to_owned(), body, ..first.clone() };
        let word = if known { "duplicate" } else { "mismatch" };
        assert_eq!(queue.enqueue(&[other]), [word, "first", "done"], "known by more than bytes");
        assert_eq!(queue.enqueue(&[first]), ["duplicate", "first", "done"]);
    }
}

/// What a client of the last version sends again is what today's one has sent.
#[test]
fn t1_a_client_of_the_last_version_knows_a_new_job() {
    let mut queue = Queue::start();
    let request = Request { key: "k".to_owned(), ..Request::new("a") };
    queue.enqueue(std::slice::from_ref(&request));
    queue.replace_enqueue(include_str!("../golden/enqueue-v2.lua"));
    assert_eq!(queue.enqueue(&[request]), ["duplicate", "a", "ready"]);
}

/// Any JSON, in which a request's fields might lie.
fn json() -> impl Strategy<Value = Json> {
    let numbers = prop_oneof![
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9_f64).prop_map(Json::from),
        any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()).prop_map(Json::from),
        Just(Json::from(0.9)),
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        numbers,
        prop::collection::vec(any::<char>(), 0..12)
            .prop_map(|text| text.iter().collect::<String>().into()),
    ];
    leaf.prop_recursive(4, 700, 40, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..40).prop_map(Json::from),
            prop::collection::btree_map("[a-zA-Z_0-9]{0,6}", inner, 0..12)
                .prop_map(|fields| Json::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn producers_digest_a_request_as_the_script_does() {
    let queue = std::cell::RefCell::new(Queue::start());
    for_any(&json(), |value| {
        let queue = &mut *queue.borrow_mut();
        queue.begin_anew();
        let envelope = serde_json::json!({ "v": 1, "options": value });
        let body = envelope.to_string();
        queue.enqueue(&[Request { body: body.clone(), ..Request::new("a") }]);
        assert_eq!(queue.field("a", "request_sha1"), digest_of(&envelope, &body), "{body}");
    });
}

/// The order in which all ready jobs are claimed.
fn order(queue: &mut Queue) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let answer = queue.claim("anna", &format!("order{}", ids.len()), 0);
        if answer[0] != "job" {
            return ids;
        }
        ids.push(answer[1].clone());
    }
}

#[test]
fn a_clock_set_back_ranks_no_new_job_before_an_old_one() {
    let mut queue = Queue::start();
    let hour = 3_600_000;
    queue.enqueue(&[Request { run_at: START + 1_000, ..Request::new("due-before") }]);
    queue.put("old");
    queue.advance(1_000);
    queue.reap(false);
    queue.advance(10 - hour);
    // As long as nobody has asked since, nobody knows: the first to come does.
    queue.put("new");
    let soon = queue.now + 1_000;
    queue.enqueue(&[Request { run_at: soon, ..Request::new("due-after") }]);
    queue.advance(500);
    queue.enqueue(&[Request { priority: 6, ..Request::new("urgent") }]);
    queue.put("newer");
    queue.advance(500);
    queue.reap(false);
    queue.put("newest");
    let expected = ["urgent", "old", "due-before", "new", "newer", "due-after", "newest"];
    assert_eq!(order(&mut queue), expected);
    assert_eq!(queue.field("new", "ready_ms"), (START + 1_010 - hour).to_string(), "by the clock");
}

/// A rank is kept through retries, whatever the clock does meanwhile; a replay is a new job's.
#[test]
fn a_rank_is_kept_when_the_clock_is_set_back() {
    let mut queue = Queue::start();
    queue.put("old");
    let token = queue.lease("anna", "old");
    queue.put("dead");
    let dead = queue.lease("anna", "dead");
    queue.report("dead", &dead, &Words::dead());
    queue.advance(5_000);
    queue.put("later");
    queue.advance(-60_000);
    queue.put("new");
    queue.report("old", &token, &Words::retry(0));
    queue.advance(1);
    queue.call(Verb::Replay, &["dead"]);
    assert_eq!(order(&mut queue), ["old", "later", "new", "dead"]);
}

#[test]
fn t1_a_batch_answers_one_by_one() {
    let mut queue = Queue::start();
    let twice = Request { key: "k".to_owned(), ..Request::new("a") };
    let again = Request { id: "b".to_owned(), ..twice.clone() };
    let late = Request { deadline: START, ..Request::new("c") };
    let answer = queue.enqueue(&[twice, again, late, Request::new("d")]);
    let expected = [
        ["created", "a", "ready"],
        ["duplicate", "a", "ready"],
        ["deadline-passed", "c", ""],
        ["created", "d", "ready"],
    ];
    assert_eq!(answer, expected.concat());
    let counts = queue.key("counts");
    let enqueued: i64 = queue.command(&["HGET", &counts, "enqueued"]);
    assert_eq!(enqueued, 2);
}

#[test]
fn t1_the_deadline_counts_from_the_later_of_now_and_run_at() {
    let mut queue = Queue::start();
    let run_at = START + 5_000;
    queue.enqueue(&[Request { run_at, ..Request::new("later") }]);
    queue.enqueue(&[Request { run_at: START - 5_000, ..Request::new("past") }]);
    assert_eq!(queue.field("later", "deadline_ms"), (run_at + DEFAULT_DEADLINE).to_string());
    assert_eq!(queue.field("past", "deadline_ms"), (START + DEFAULT_DEADLINE).to_string());
    assert_eq!((queue.state("later"), queue.state("past")), ("delayed".into(), "ready".into()));
    let never = Request { run_at, deadline: run_at, ..Request::new("never") };
    assert_eq!(queue.enqueue(&[never]), ["deadline-passed", "never", ""]);
    assert_eq!(queue.state("never"), "");
}

#[test]
fn t2_delayed_work_is_promoted_by_claim_and_by_reap_and_while_paused() {
    for promoter in ["claim", "reap", "paused"] {
        let mut queue = Queue::start();
        queue.enqueue(&[Request { run_at: START + 100, ..Request::new("a") }]);
        queue.advance(99);
        assert_eq!(queue.claim("anna", "early", 0), ["empty", "1"]);
        queue.advance(1);
        match promoter {
            "claim" => assert_eq!(queue.claim("anna", "n", 0)[..2], ["job", "a"]),
            "reap" => {
                queue.reap(false);
                assert_eq!(queue.state("a"), "ready");
            }
            _ => {
                queue.call(Verb::Pause, &["pause"]);
                assert_eq!(queue.claim("anna", "n", 0), ["paused", "-1"]);
                assert_eq!(queue.state("a"), "ready");
            }
        }
    }
}

#[test]
fn t2_ten_thousand_jobs_due_at_once_are_promoted_in_steps_and_claims_go_on() {
    let mut queue = Queue::start();
    for batch in 0..20 {
        let one =
            |at: usize| Request { run_at: START + 1_000, ..Request::new(format!("j{batch}-{at}")) };
        queue.enqueue(&(0..500).map(one).collect::<Vec<_>>());
    }
    queue.advance(1_000);
    let delayed = queue.key("delayed");
    let mut left = 10_000;
    for claim in 0..500 {
        assert_eq!(queue.claim("anna", &format!("n{claim}"), 0)[0], "job", "claim {claim}");
        let now: usize = queue.command(&["ZCARD", &delayed]);
        assert_eq!(left - now, 20, "claim {claim} promoted so many");
        left = now;
    }
    assert_eq!(left, 0);
}

#[test]
fn t3_a_claim_leases_the_job_and_tells_of_it_what_an_attempt_needs() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { body: "the body".to_owned(), ..Request::new("a") }]);
    queue.enqueue(&[Request { run_at: START + 700, ..Request::new("b") }]);
    queue.advance(200);
    let answer = queue.claim("anna", "n1", 0);
    let left = (DEFAULT_DEADLINE - 200).to_string();
    assert_eq!(answer[..6], ["job", "a", "1:n1", "the body", &left, "500"]);
    let known = ["tenant", "ready_ms"].map(|name| (name.to_owned(), queue.field("a", name)));
    assert_eq!(crate::dump::fields(&answer[6..]), BTreeMap::from(known));
    let leased = queue.key("leased");
    let expiry: i64 = queue.command(&["ZSCORE", &leased, "a"]);
    assert_eq!(expiry, queue.now + LEASE);
    assert_eq!(queue.field("a", "worker"), "anna");
    assert!(!queue.dump().contains_key("ready"));

    queue.report("a", &answer[2], &Words::release());
    let before = queue.hash("a");
    let again = queue.claim("anna", "n2", 0);
    assert_eq!(crate::dump::fields(&again[6..]), before);
    let repeated = queue.claim("anna", "n2", 0);
    assert_eq!(crate::dump::fields(&repeated[6..]), queue.hash("a"));
}

#[test]
fn t3_the_first_attempt_knows_the_trace_of_its_producer() {
    let mut queue = Queue::start();
    let trace = format!("00-{:032x}-{:016x}-01", 7, 9);
    queue.put("a");
    let job = queue.scripts.keys().job("a");
    let _: i64 = queue.command(&["HSET", &job, "traceparent", &trace]);
    let answer = queue.claim("anna", "n1", 0);
    assert_eq!(crate::dump::fields(&answer[6..])["traceparent"], trace);
}

#[test]
fn t3_the_fence_grows_with_each_claim_and_no_token_comes_twice() {
    let mut queue = Queue::start();
    queue.put("a");
    let tokens: Vec<String> = (1..=3)
        .map(|claim| {
            let token = queue.claim("anna", &format!("n{claim}"), 0)[2].clone();
            queue.report("a", &token, &Words::release());
            token
        })
        .collect();
    assert_eq!(tokens, ["1:n1", "2:n2", "3:n3"]);
}

#[test]
fn a_job_that_waits_a_minute_outranks_the_next_priority_up() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { priority: 5, ..Request::new("old") }]);
    queue.advance(60_001);
    queue.enqueue(&[Request { priority: 6, ..Request::new("new") }]);
    queue.enqueue(&[Request { priority: 7, ..Request::new("urgent") }]);
    let mut order = Vec::new();
    for claim in 0..3 {
        order.push(queue.claim("anna", &format!("n{claim}"), 0)[1].clone());
    }
    assert_eq!(order, ["urgent", "old", "new"]);
}

#[test]
fn a_repeated_claim_answers_the_same_job_and_prolongs_nothing() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.put("b");
    let first = queue.claim("anna", "n1", 0);
    let leased = queue.key("leased");
    let expiry: i64 = queue.command(&["ZSCORE", &leased, "a"]);
    queue.advance(LEASE / 2);
    queue.call(Verb::Pause, &["pause"]);
    assert_eq!(queue.claim("anna", "n1", 0)[..3], first[..3], "even while paused");
    let again: i64 = queue.command(&["ZSCORE", &leased, "a"]);
    assert_eq!((again, queue.state("b")), (expiry, "ready".to_owned()));
}

#[test]
fn a_repeated_claim_whose_job_is_gone_claims_anew() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.put("b");
    queue.claim("anna", "n1", 0);
    queue.report("a", "1:n1", &Words::done());
    assert_eq!(queue.claim("anna", "n1", 0)[..3], ["job", "b", "1:n1"]);
}

#[test]
fn a_lost_reply_leases_to_nobody_for_longer_than_a_lease() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.reap(false);
    queue.claim("anna", "lost", 0);
    assert_eq!(queue.claim("anna", "other", 0)[0], "empty");
    assert_eq!(queue.outlive_lease().ended(), [1, 0], "unbegun, so no crash");
    assert_eq!(queue.state("a"), "ready");
}

#[test]
fn a_job_past_its_deadline_is_never_leased() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { deadline: START + 10, ..Request::new("a") }]);
    queue.advance(10);
    assert_eq!(queue.claim("anna", "n", 0), ["empty", "-1"]);
    assert_eq!(queue.state("a"), "expired");
}

#[test]
fn pause_stops_claims_only_and_resume_wakes() {
    let mut queue = Queue::start();
    queue.put("running");
    let token = queue.lease("anna", "running");
    queue.put("waiting");
    assert_eq!(queue.call(Verb::Pause, &["pause"]), ["1"]);
    assert_eq!(queue.call(Verb::Pause, &["pause"]), ["0"]);
    while queue.pop_wake() {}
    assert_eq!(queue.claim("ben", "n", 0), ["paused", "-1"]);
    assert!(!queue.pop_wake(), "a paused queue wakes nobody");
    assert_eq!(queue.renew("anna", &[("running".to_owned(), token.clone())]), ["ok"]);
    assert_eq!(queue.report("running", &token, &Words::done())[0], "accepted");
    assert_eq!(queue.call(Verb::Pause, &["resume"]), ["1"]);
    assert!(queue.pop_wake());
    assert_eq!(queue.call(Verb::Pause, &["resume"]), ["0"]);
    assert_eq!(queue.claim("ben", "n", 0)[..2], ["job", "waiting"]);
}

#[test]
fn a_batch_of_eight_reaches_eight_workers_by_the_baton() {
    let mut queue = Queue::start();
    let batch: Vec<Request> = (0..8).map(|at| Request::new(format!("j{at}"))).collect();
    queue.enqueue(&batch);
    for worker in 0..8 {
        assert!(queue.pop_wake(), "worker {worker} was not woken");
        assert_eq!(queue.claim(&format!("w{worker}"), &format!("n{worker}"), 0)[0], "job");
    }
    assert!(!queue.pop_wake(), "nothing is left to wake anyone for");
}

#[test]
fn work_for_much_later_wakes_nobody() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { run_at: START + 2_501, ..Request::new("later") }]);
    assert!(!queue.pop_wake());
    queue.enqueue(&[Request { run_at: START + 2_500, ..Request::new("soon") }]);
    assert!(queue.pop_wake());
}

#[test]
fn a_crowd_of_expired_jobs_does_not_hide_the_one_behind_it() {
    let mut queue = Queue::start();
    let late = |at: usize| Request {
        deadline: START + 10,
        priority: 9,
        ..Request::new(format!("late{at}"))
    };
    let crowd: Vec<Request> = (0..250).map(late).collect();
    queue.enqueue(&crowd);
    queue.put("live");
    queue.advance(11);
    let mut claims = 0;
    // Each claim that is not the last leaves the marker, so no worker waits for its backstop.
    while queue.pop_wake() {
        claims += 1;
        if queue.claim("anna", &format!("n{claims}"), 0)[0] == "job" {
            break;
        }
    }
    assert_eq!((claims, queue.state("live")), (13, "leased".to_owned()));
}
