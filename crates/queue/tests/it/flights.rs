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
