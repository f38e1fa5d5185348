//! Why does a job not run? Each reason, produced by the verbs that bring it about.

use std::collections::BTreeSet;

use queue::{Verb, WaitingReason, Why};
use stillcast_enqueue::{StageName, Waiting};

use crate::fixture::{LEASE, Queue, Request, START, Standing, Words};

const ERROR: &str =
    "{\"stage\":\"tts\",\"provider\":\"openai\",\"code\":\"refused\",\"message\":\"m\"}";

fn reason(queue: &mut Queue, id: &str) -> WaitingReason {
    let why: Why = queue.scripts.why(id).invoke(&mut queue.connection).expect("an answer");
    why.reason.expect("the job is there")
}

/// Its word, its sentence, and what else it says.
fn told(queue: &mut Queue, id: &str) -> Waiting {
    let told = reason(queue, id).told();
    assert!(told.sentence.ends_with('.') && told.cure.ends_with('.'), "{told:?}");
    told
}

fn code(queue: &mut Queue, id: &str) -> String {
    told(queue, id).code
}

/// The worker is there, with one slot of which so many are taken.
fn stands(queue: &mut Queue, worker: &str, busy: i64) {
    let standing = Standing { slots: 1, busy, ..Standing::default() };
    queue.renew_as(worker, &standing, &[]);
}

fn is_at(told: &Waiting, ms: i64) -> bool {
    told.until.is_some_and(|until| until.timestamp_millis() == ms)
}

#[test]
fn an_unknown_job_has_no_reason_and_one_that_runs_or_has_ended_does_not_wait() {
    let mut queue = Queue::start();
    let none: Why = queue.scripts.why("nobody").invoke(&mut queue.connection).expect("an answer");
    assert_eq!(none.reason, None);
    queue.put("a");
    let token = queue.lease("anna", "a");
    let runs = reason(&mut queue, "a");
    assert_eq!(runs, WaitingReason::Running { worker: "anna".to_owned() });
    assert_eq!(runs.waiting(), None);
    queue.report("a", &token, &Words::done());
    assert_eq!(code(&mut queue, "a"), "ended");
    assert_eq!(reason(&mut queue, "a").waiting(), None);
}

#[test]
fn a_job_whose_time_has_not_come_waits_for_it() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { run_at: START + 9_000, ..Request::new("a") }]);
    let later = told(&mut queue, "a");
    assert!(later.code == "run-at" && is_at(&later, START + 9_000), "{later:?}");
    assert!(later.sentence.contains("2023-11-14T22:13:29Z"), "{later:?}");
    queue.advance(9_000);
    assert_eq!(code(&mut queue, "a"), "no-worker", "it is due, though nobody has moved it");
}

#[test]
fn a_failed_attempt_names_what_failed_and_when_the_next_begins() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    queue.report("a", &token, &Words { error: ERROR, ..Words::retry(5_000) });
    let waits = told(&mut queue, "a");
    assert!(waits.code == "back-off" && is_at(&waits, START + 5_000), "{waits:?}");
    assert!(
        waits.sentence.starts_with("1 of 5 attempts have failed (tts, provider openai: refused)")
    );
    assert_eq!((waits.stage, waits.provider.as_deref()), (Some(StageName::Tts), Some("openai")));
}

#[test]
fn what_is_parked_says_for_what() {
    for (word, words) in [
        ("provider", Words { error: ERROR, ..Words::park("provider", 7_000) }),
        ("rate", Words { error: ERROR, ..Words::park("rate", 7_000) }),
        ("version", Words::park("version", 7_000)),
    ] {
        let mut queue = Queue::start();
        queue.put("a");
        let token = queue.lease("anna", "a");
        queue.report("a", &token, &words);
        let waits = told(&mut queue, "a");
        assert!(waits.code == word && is_at(&waits, START + 7_000), "{waits:?}");
        assert_eq!(waits.sentence.contains("tts, provider openai"), word != "version");
        queue.advance(7_000);
        assert_ne!(code(&mut queue, "a"), word, "its time has come");
    }
}

#[test]
fn who_waits_for_an_account_says_what_it_allows() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    let error = r#"{"stage":"tts","provider":"openai","code":"account-limit","message":"waits for openai: 60 requests a minute (TTS_RPM)"}"#;
    queue.report("a", &token, &Words { error, ..Words::park("rate", 7_000) });
    let waits = told(&mut queue, "a");
    let said = "It waits for openai: 60 requests a minute (TTS_RPM), and asks again at 2023-11-14T22:13:27Z.";
    assert_eq!((waits.code.as_str(), waits.sentence.as_str()), ("rate", said));
    assert_eq!((waits.stage, waits.provider.as_deref()), (Some(StageName::Tts), Some("openai")));
}

#[test]
fn who_waits_for_its_tenant_s_next_day_says_what_it_may_spend_and_when_it_goes_on() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("anna", "a");
    let error = r#"{"stage":"tts","provider":"openai","code":"budget-spent","message":"waits for the next day (UTC): the budget of t, 5 US dollars a day (TENANT_BUDGETS), is spent"}"#;
    queue.report("a", &token, &Words { error, ..Words::park("budget", 7_000) });
    let waits = told(&mut queue, "a");
    let said = "It waits for the next day (UTC): the budget of t, 5 US dollars a day (TENANT_BUDGETS), is spent; it \
                goes on at 2023-11-14T22:13:27Z.";
    assert_eq!((waits.code.as_str(), waits.sentence.as_str()), ("budget", said));
    assert!(is_at(&waits, START + 7_000) && waits.cure.contains("TENANT_BUDGETS"), "{waits:?}");
    assert_eq!((waits.stage, waits.provider.as_deref()), (Some(StageName::Tts), Some("openai")));
    queue.advance(7_000);
    assert_ne!(code(&mut queue, "a"), "budget", "its time has come");
}

#[test]
fn who_waits_for_a_flight_names_the_job_that_pays() {
    let mut queue = Queue::start();
    queue.put("owner");
    queue.put("waiter");
    let owner = queue.lease("anna", "owner");
    let waiter = queue.lease("anna", "waiter");
    queue.call(Verb::Join, &["owner", &owner, "k"]);
    queue.call(Verb::Join, &["waiter", &waiter, "k"]);
    queue.report("waiter", &waiter, &Words::await_flights(&["k"]));
    let waits = told(&mut queue, "waiter");
    assert_eq!((waits.code.as_str(), waits.jobs.as_slice()), ("flight", &["owner".to_owned()][..]));
    queue.call(Verb::Land, &["owner", &owner, "k", "stored"]);
    assert_eq!(code(&mut queue, "waiter"), "turn", "it was woken");
}

#[test]
fn a_passed_deadline_comes_before_all_else() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { deadline: START + 10, ..Request::new("a") }]);
    queue.call(Verb::Pause, &["pause"]);
    queue.advance(10);
    let passed = told(&mut queue, "a");
    assert_eq!(passed.code, "deadline");
    assert_eq!(passed.since.map(|at| at.timestamp_millis()), Some(START + 10));
}

#[test]
fn a_paused_queue_says_since_when() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.call(Verb::Pause, &["pause"]);
    queue.advance(5);
    let paused = told(&mut queue, "a");
    assert_eq!(paused.code, "paused");
    assert_eq!(paused.since.map(|at| at.timestamp_millis()), Some(START));
    queue.call(Verb::Pause, &["resume"]);
    assert_eq!(code(&mut queue, "a"), "no-worker");
}

#[test]
fn workers_that_are_not_there_silent_or_leaving_are_told_apart() {
    let mut queue = Queue::start();
    queue.put("a");
    assert_eq!(code(&mut queue, "a"), "no-worker");
    stands(&mut queue, "anna", 0);
    assert_eq!(code(&mut queue, "a"), "turn");
    queue.advance(LEASE / 2 + 1);
    let silent = told(&mut queue, "a");
    assert_eq!(silent.code, "workers-silent");
    assert_eq!(silent.since.map(|at| at.timestamp_millis()), Some(START));
    queue.call(Verb::Drain, &["anna", "leaving"]);
    assert_eq!(code(&mut queue, "a"), "workers-leaving");
    stands(&mut queue, "ben", 0);
    assert_eq!(code(&mut queue, "a"), "turn", "one stays");
    queue.call(Verb::Drain, &["ben", "gone"]);
    queue.call(Verb::Drain, &["anna", "gone"]);
    assert_eq!(code(&mut queue, "a"), "no-worker");
}

#[test]
fn a_refused_fleet_says_where_and_when_it_asks_again() {
    let mut queue = Queue::start();
    queue.put("a");
    let refused = Standing { slots: 1, busy: 0, refused: "tts", probe: 500 };
    queue.renew_as("anna", &refused, &[]);
    let waits = told(&mut queue, "a");
    assert!(waits.code == "refused" && is_at(&waits, START + 500), "{waits:?}");
    assert_eq!(waits.stage, Some(StageName::Tts));
    queue.call(Verb::Probe, &["tts", "refused", "9000", "9000", "20", "1"]);
    assert!(is_at(&told(&mut queue, "a"), START + 9_000), "the fleet has agreed on a later one");
    queue.renew_as("ben", &Standing { refused: "any", ..refused }, &[]);
    assert_eq!(code(&mut queue, "a"), "refused");
    stands(&mut queue, "ben", 0);
    assert_eq!(code(&mut queue, "a"), "turn", "one is not refused");
}

#[test]
fn a_full_fleet_says_how_many_go_before() {
    let mut queue = Queue::start();
    for id in ["a", "b", "c"] {
        queue.put(id);
        queue.advance(1);
    }
    stands(&mut queue, "anna", 0);
    queue.lease("anna", "a");
    let full = told(&mut queue, "c");
    assert_eq!((full.code.as_str(), full.ahead, full.slots), ("slots", Some(1), Some(1)));
    assert!(
        full.sentence.contains("All 1 slots") && full.sentence.contains("1 job goes before it")
    );
    // A claim alone says that the slot is taken; an older worker says nothing.
    queue.claim("old", "n", 0);
    assert_eq!(code(&mut queue, "c"), "turn");
}

#[test]
fn a_gap_explains_slots_that_nobody_frees() {
    let mut queue = Queue::start();
    queue.reap(false);
    queue.put("a");
    stands(&mut queue, "anna", 1);
    queue.advance(LEASE);
    queue.reap(false);
    stands(&mut queue, "anna", 1);
    let gap = told(&mut queue, "a");
    assert!(gap.code == "gap" && is_at(&gap, START + 2 * LEASE), "{gap:?}");
    queue.advance(LEASE);
    stands(&mut queue, "anna", 1);
    assert_eq!(code(&mut queue, "a"), "slots");
    queue.reap_after(LEASE);
    assert_eq!(code(&mut queue, "a"), "gap", "a stall holds the reaper back too");
}

#[test]
fn a_lease_that_ran_out_is_no_running_job() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.lease("anna", "a");
    queue.advance(LEASE + 1);
    let over = told(&mut queue, "a");
    assert!(over.code == "lease-over" && over.sentence.contains("anna"), "{over:?}");
    assert!(reason(&mut queue, "a").is_wait());
}

/// Every reason has its test above: one that is new must be produced too.
#[test]
fn every_reason_is_produced_by_a_test() {
    let source = include_str!("../../src/waiting/reason.rs");
    let codes = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    let codes: BTreeSet<&str> = codes.collect();
    assert_eq!(codes.len(), 19, "{codes:?}");
    let tests = include_str!("why.rs");
    for code in codes.iter().filter(|code| **code != "running") {
        assert!(tests.contains(&format!("\"{code}\"")), "no test produces `{code}`");
    }
}
