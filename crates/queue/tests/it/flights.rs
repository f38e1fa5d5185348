//! Single-flight: one job pays for a key, the others wait, and nobody waits for nobody.

use queue::Verb;

use crate::fixture::{Queue, Request, Words};

/// Leases job `id` to a worker of the same name.
fn start(queue: &mut Queue, id: &str) -> String {
    queue.put(id);
    queue.lease(id, id)
}

fn join(queue: &mut Queue, id: &str, token: &str, key: &str) -> Vec<String> {
    queue.call(Verb::Join, &[id, token, key])
}

#[test]
fn nobody_parks_for_a_flight_that_it_pays_for_itself() {
    let mut queue = Queue::start();
    let token = start(&mut queue, "a");
    assert_eq!(join(&mut queue, "a", &token, "k"), ["owned"]);
    assert_eq!(queue.report("a", &token, &Words::await_flights(&["k"])), ["go-on", ""]);
    assert_eq!(queue.state("a"), "leased");
}

#[test]
fn an_heir_that_leaves_keeps_the_mark_of_a_flight_that_landed_meanwhile() {
    let mut queue = Queue::start();
    let owner = start(&mut queue, "owner");
    let waiter = start(&mut queue, "waiter");
    join(&mut queue, "owner", &owner, "k");
    assert_eq!(join(&mut queue, "waiter", &waiter, "k"), ["waiting", "owner"]);
    queue.report("waiter", &waiter, &Words::await_flights(&["k"]));
    queue.report("owner", &owner, &Words::retry(1_000));
    assert_eq!(queue.field("waiter", "heir"), "k");
    let other = start_beside(&mut queue, "other");
    assert_eq!(join(&mut queue, "other", &other, "k"), ["owned"]);
    assert_eq!(queue.call(Verb::Land, &["other", &other, "k", "unshared"]), ["ok"]);
    assert_eq!(queue.call(Verb::Cancel, &["waiter"]), ["cancelled"]);
    assert_eq!(join(&mut queue, "other", &other, "k"), ["landed", "unshared"]);
}

/// Leases a job that outranks all others.
fn start_beside(queue: &mut Queue, id: &str) -> String {
    queue.enqueue(&[Request { priority: 9, ..Request::new(id) }]);
    queue.lease(id, id)
}

#[test]
fn a_running_waiter_is_passed_over_and_forgets_the_flight() {
    for owner_lands in [true, false] {
        let mut queue = Queue::start();
        let owner = start(&mut queue, "owner");
        let waiter = start(&mut queue, "waiter");
        join(&mut queue, "owner", &owner, "k");
        join(&mut queue, "waiter", &waiter, "k");
        assert_eq!(queue.field("waiter", "awaits"), "k");
        if owner_lands {
            queue.call(Verb::Land, &["owner", &owner, "k", "stored"]);
        } else {
            queue.report("owner", &owner, &Words::release());
        }
        assert_eq!(
            (queue.state("waiter"), queue.field("waiter", "awaits")),
            ("leased".into(), String::new())
        );
        assert!(!queue.dump().contains_key("waiters:k"));
        assert_eq!(join(&mut queue, "waiter", &waiter, "k"), ["owned"]);
    }
}

fn park(queue: &mut Queue, id: &str, token: &str, keys: &[&str]) {
    assert_eq!(queue.report(id, token, &Words::await_flights(keys)), ["accepted", "parked"]);
}

/// An owner of flight `k` and parked waiters, best ranked last.
fn with_waiters(waiters: &[&str]) -> (Queue, String) {
    let mut queue = Queue::start();
    let owner = start(&mut queue, "owner");
    assert_eq!(join(&mut queue, "owner", &owner, "k"), ["owned"]);
    for (at, id) in waiters.iter().enumerate() {
        let priority = i64::try_from(at).expect("few");
        queue.enqueue(&[Request { priority, ..Request::new(*id) }]);
        let token = queue.lease(id, id);
        assert_eq!(join(&mut queue, id, &token, "k"), ["waiting", "owner"]);
        assert_eq!(queue.state(id), "leased", "listed, and still running");
        park(&mut queue, id, &token, &["k"]);
    }
    (queue, owner)
}

#[test]
fn a_stored_value_ends_the_flight_and_readies_every_waiter() {
    let (mut queue, owner) = with_waiters(&["w1", "w2"]);
    assert_eq!(queue.call(Verb::Land, &["owner", &owner, "k", "stored"]), ["ok"]);
    assert_eq!((queue.state("w1"), queue.state("w2")), ("ready".into(), "ready".into()));
    let dump = queue.dump();
    assert!(["flight:k", "waiters:k", "landed"].iter().all(|key| !dump.contains_key(*key)));
    assert_eq!(queue.field("owner", "owns"), "");
    assert!(queue.pop_wake());
    assert_eq!(
        queue.call(Verb::Land, &["owner", &owner, "k", "stored"]),
        ["stale"],
        "once is enough"
    );
    assert_eq!(join(&mut queue, "owner", &owner, "k"), ["owned"], "after a new recall");
}

#[test]
fn unshared_and_permanent_stay_as_marks_for_a_minute() {
    for how in ["unshared", "permanent {\"code\":\"refused\"}"] {
        let (mut queue, owner) = with_waiters(&["w1"]);
        assert_eq!(queue.call(Verb::Land, &["owner", &owner, "k", how]), ["ok"]);
        assert_eq!(queue.state("w1"), "ready");
        let token = queue.lease("w1", "w1");
        assert_eq!(join(&mut queue, "w1", &token, "k"), ["landed", how]);
        assert_eq!(queue.report("w1", &token, &Words::await_flights(&["k"])), ["go-on", ""]);
        let flight = queue.key("flight:k");
        let left: i64 = queue.command(&["PTTL", &flight]);
        assert!((50_000..=60_000).contains(&left), "{left} ms");
        let _: i64 = queue.command(&["DEL", &flight]);
        assert_eq!(join(&mut queue, "w1", &token, "k"), ["owned"], "when the minute is over");
    }
}

#[test]
fn an_owner_that_leaves_without_landing_promotes_the_best_waiter_alone() {
    type Leave = fn(&mut Queue, &str);
    let ways: [(&str, Leave); 6] = [
        ("retry", |queue, token| drop(queue.report("owner", token, &Words::retry(9_000)))),
        ("dead", |queue, token| drop(queue.report("owner", token, &Words::dead()))),
        ("park", |queue, token| drop(queue.report("owner", token, &Words::park("rate", 9_000)))),
        ("done", |queue, token| drop(queue.report("owner", token, &Words::done()))),
        ("cancel", |queue, token| {
            queue.call(Verb::Cancel, &["owner"]);
            queue.report("owner", token, &Words::release());
        }),
        ("crash", |queue, token| {
            queue.call(Verb::Begin, &["owner", token]);
            queue.reap(true);
        }),
    ];
    for (way, leave) in ways {
        let (mut queue, owner) = with_waiters(&["w1", "w2", "w3"]);
        leave(&mut queue, &owner);
        let states = ["w1", "w2", "w3"].map(|id| queue.state(id));
        assert_eq!(states, ["parked", "parked", "ready"], "after {way}");
        assert_eq!(queue.field("w3", "heir"), "k");
        queue.call(Verb::Cancel, &["owner"]);
        let heir = queue.lease("w3", "w3");
        assert_eq!(join(&mut queue, "w3", &heir, "k"), ["owned"], "after {way}");
        queue.call(Verb::Land, &["w3", &heir, "k", "stored"]);
        assert_eq!(queue.state("w1"), "ready", "after {way}");
    }
}

#[test]
fn an_heir_that_leaves_before_it_joins_hands_on() {
    let (mut queue, owner) = with_waiters(&["w1", "w2"]);
    queue.report("owner", &owner, &Words::retry(60_000));
    assert_eq!((queue.state("w1"), queue.state("w2")), ("parked".into(), "ready".into()));
    queue.call(Verb::Cancel, &["w2"]);
    assert_eq!((queue.state("w1"), queue.field("w1", "heir")), ("ready".into(), "k".into()));
    queue.call(Verb::Cancel, &["w1"]);
    assert!(queue.dump().keys().all(|key| !key.contains(":k")), "nothing is left of the flight");
}

#[test]
fn whoever_leaves_is_no_longer_anyones_waiter() {
    let (mut queue, owner) = with_waiters(&["w1", "w2"]);
    queue.call(Verb::Cancel, &["w2"]);
    queue.report("owner", &owner, &Words::dead());
    assert_eq!((queue.state("w1"), queue.state("w2")), ("ready".into(), "cancelled".into()));
}

#[test]
fn a_running_waiter_that_leaves_is_off_the_list() {
    for words in [Words::done(), Words::retry(1), Words::release(), Words::park("rate", 1)] {
        let (mut queue, _) = with_waiters(&[]);
        let waiter = start(&mut queue, "waiter");
        assert_eq!(join(&mut queue, "waiter", &waiter, "k"), ["waiting", "owner"]);
        queue.report("waiter", &waiter, &words);
        assert!(!queue.dump().contains_key("waiters:k"), "after {words:?}");
        assert_eq!(queue.field("waiter", "awaits"), "");
    }
}

#[test]
fn a_backstop_wakes_a_waiter_and_takes_it_off_the_list() {
    let (mut queue, _) = with_waiters(&["w1"]);
    queue.advance(30_000);
    queue.reap(false);
    assert_eq!((queue.state("w1"), queue.field("w1", "awaits")), ("ready".into(), String::new()));
    assert!(!queue.dump().contains_key("waiters:k"));
}

#[test]
fn a_park_names_all_flights_and_is_refused_when_one_is_no_longer_in_the_air() {
    let (mut queue, owner) = with_waiters(&[]);
    let second = start(&mut queue, "second");
    join(&mut queue, "second", &second, "k2");
    let waiter = start(&mut queue, "waiter");
    join(&mut queue, "waiter", &waiter, "k");
    join(&mut queue, "waiter", &waiter, "k2");
    queue.report("second", &second, &Words::retry(1));
    assert_eq!(queue.report("waiter", &waiter, &Words::await_flights(&["k", "k2"])), ["go-on", ""]);
    assert_eq!(join(&mut queue, "waiter", &waiter, "k2"), ["owned"]);
    park(&mut queue, "waiter", &waiter, &["k"]);
    assert_eq!(queue.field("waiter", "owns"), "", "a parked job pays for nothing");
    queue.call(Verb::Land, &["owner", &owner, "k", "stored"]);
    assert_eq!(queue.state("waiter"), "ready");
}

#[test]
fn the_first_of_two_flights_to_land_wakes_and_frees_both_lists() {
    let (mut queue, owner) = with_waiters(&[]);
    let second = start(&mut queue, "second");
    join(&mut queue, "second", &second, "k2");
    let waiter = start(&mut queue, "waiter");
    park(&mut queue, "waiter", &waiter, &["k", "k2"]);
    queue.call(Verb::Land, &["owner", &owner, "k", "stored"]);
    assert_eq!(queue.state("waiter"), "ready");
    assert!(!queue.dump().contains_key("waiters:k2"));
    queue.report("second", &second, &Words::release());
    assert_eq!(queue.field("waiter", "heir"), "", "it no longer waits for that one");
}

#[test]
fn a_landing_wakes_a_hundred_waiters_and_claims_and_the_reaper_the_rest() {
    let mut queue = Queue::start();
    let owner = start(&mut queue, "owner");
    join(&mut queue, "owner", &owner, "k");
    for at in 0..250 {
        let id = format!("w{at}");
        let token = start(&mut queue, &id);
        park(&mut queue, &id, &token, &["k"]);
    }
    queue.call(Verb::Land, &["owner", &owner, "k", "stored"]);
    let cards = |queue: &mut Queue| {
        ["ready", "parked", "waiters:k", "landed"].map(|name| {
            let key = queue.key(name);
            let kind: String = queue.command(&["TYPE", &key]);
            let count = if kind == "set" { "SCARD" } else { "ZCARD" };
            queue.command::<usize>(&[count, &key])
        })
    };
    assert_eq!(cards(&mut queue), [100, 150, 150, 1]);
    queue.claim("anna", "n", 0);
    assert_eq!(cards(&mut queue), [119, 130, 130, 1]);
    assert_eq!(queue.reap(false).more, 1);
    assert_eq!(cards(&mut queue), [194, 55, 55, 1]);
    assert_eq!(queue.reap(false).more, 0);
    assert_eq!(cards(&mut queue), [249, 0, 0, 0]);
}
