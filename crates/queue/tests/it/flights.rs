//! Single-flight: one job pays for a key, the others wait, and nobody waits for nobody.

use queue::Verb;

use crate::fixture::{LEASE, Queue, Request, Words};

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
            ("leased".into(), "".into())
        );
        assert!(!queue.dump().contains_key("waiters:k"));
        assert_eq!(join(&mut queue, "waiter", &waiter, "k"), ["owned"]);
    }
}
