//! Under a lease: begin, renew, checkpoint, progress; the token that they carry.

use queue::Verb;

use crate::fixture::{LEASE, Queue, Words};

#[test]
fn only_a_new_checkpoint_resets_crashes_and_interruptions() {
    let mut queue = Queue::start();
    queue.put("a");
    queue.crash("anna", "a", 1);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.call(Verb::Checkpoint, &["a", &token, "", "call1", "d1"]), ["ok"]);
    assert_eq!(queue.field("a", "crashes"), "");
    queue.report("a", &token, &Words::release());
    queue.crash("ben", "a", 1);
    let token = queue.lease("anna", "a");
    assert_eq!(queue.call(Verb::Checkpoint, &["a", &token, "", "call1", "d2"]), ["ok"]);
    assert_eq!(queue.field("a", "checkpoint:call1"), "d1", "the first writer wins");
    assert_eq!(queue.field("a", "crashes"), "1", "an old checkpoint is no progress");
    assert_eq!(queue.field("a", "stalls"), "1", "nor does it excuse an interruption");
    assert_eq!(
        queue.call(Verb::Checkpoint, &["a", &token, "", "call1", "d", "call2", "d"]),
        ["ok"]
    );
    assert_eq!(queue.field("a", "crashes"), "");
}
