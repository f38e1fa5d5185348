//! T1 to T3: what enters, in which order it is claimed, and who is woken for it.

use queue::Verb;

use crate::fixture::{LEASE, Queue, Request, START};

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
    assert_eq!((claims, queue.state("live")), (3, "leased".to_owned()));
}
