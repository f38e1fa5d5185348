//! The solo lane: a job under which two workers died runs alone, and starves nobody.

use queue::Verb;

use crate::fixture::{LEASE, Queue, Request, Words};

/// A queue with a job under which two workers died.
fn with_solo() -> Queue {
    let mut queue = Queue::start();
    queue.put("solo");
    queue.crash("anna", "solo", 2);
    queue
}

#[test]
fn two_crashes_lead_to_the_solo_lane_and_depth_counts_both() {
    let mut queue = with_solo();
    queue.put("other");
    assert_eq!(queue.state("solo"), "ready");
    let stats = queue.stats();
    assert_eq!((stats["ready"], stats["solo"]), (2, 1), "two ready, one of them solo");
}

#[test]
fn the_holder_drains_its_leases_first_while_others_go_on() {
    let mut queue = with_solo();
    queue.put("other1");
    queue.put("other2");
    assert_eq!(queue.claim("anna", "n1", 2), ["hold", "-1"], "solo outranks the younger ones");
    assert_eq!(queue.claim("ben", "n2", 0)[..2], ["job", "other1"]);
    assert_eq!(queue.claim("anna", "n3", 1), ["hold", "-1"]);
    assert_eq!(queue.claim("anna", "n4", 0)[..2], ["job", "solo"]);
    assert_eq!(queue.claim("anna", "n5", 1), ["hold", "-1"], "and nothing beside it");
    assert_eq!(queue.claim("ben", "n6", 1)[..2], ["job", "other2"]);
}

#[test]
fn a_solo_job_waits_for_better_ranked_ones_and_goes_when_none_is_left() {
    let mut queue = with_solo();
    queue.enqueue(&[Request { priority: 9, ..Request::new("urgent") }]);
    assert_eq!(queue.claim("anna", "n1", 0)[..2], ["job", "urgent"]);
    assert!(queue.pop_wake(), "the solo job is left for somebody");
    assert_eq!(queue.claim("ben", "n2", 0)[..2], ["job", "solo"]);
}

#[test]
fn a_job_reserved_elsewhere_wakes_nobody() {
    let mut queue = with_solo();
    assert_eq!(queue.claim("anna", "n1", 1)[0], "hold");
    while queue.pop_wake() {}
    assert_eq!(queue.claim("ben", "n2", 0), ["empty", "-1"]);
    assert!(!queue.pop_wake(), "ben would spin");
    assert_eq!(queue.claim("anna", "n3", 1)[0], "hold");
    assert!(!queue.pop_wake(), "anna would spin");
    queue.put("other");
    assert!(queue.pop_wake());
    assert_eq!(queue.claim("anna", "n4", 1)[0], "hold");
    assert!(queue.pop_wake(), "anna passes the marker on to those who may claim");
}

#[test]
fn a_reservation_lives_one_lease_and_renewals_prolong_it() {
    let mut queue = with_solo();
    assert_eq!(queue.claim("anna", "n1", 1)[0], "hold");
    queue.advance(LEASE - 1);
    assert_eq!(queue.claim("ben", "n2", 0)[0], "empty");
    queue.renew("anna", &[]);
    queue.advance(LEASE - 1);
    assert_eq!(queue.claim("ben", "n3", 0)[0], "empty");
    queue.advance(1);
    assert_eq!(queue.claim("ben", "n4", 0)[..2], ["job", "solo"], "anna has vanished");
    assert_eq!(queue.claim("anna", "n5", 0)[0], "empty");
}

#[test]
fn nothing_is_claimed_beside_a_solo_job_even_after_a_stall() {
    let mut queue = with_solo();
    let token = queue.lease("anna", "solo");
    queue.put("other");
    queue.advance(2 * LEASE);
    assert_eq!(queue.claim("anna", "n1", 1)[0], "hold", "nobody has reaped the solo job yet");
    assert_eq!(queue.claim("ben", "n2", 0)[..2], ["job", "other"]);
    assert_eq!(queue.renew("anna", &[("solo".to_owned(), token)]), ["ok"]);
}

#[test]
fn the_end_of_the_solo_job_frees_the_lane_and_wakes() {
    for words in [Words::done(), Words::retry(60_000), Words::release()] {
        let mut queue = with_solo();
        let token = queue.lease("anna", "solo");
        while queue.pop_wake() {}
        queue.report("solo", &token, &words);
        assert!(!queue.dump().contains_key("solo_hold"));
        assert!(queue.pop_wake());
        queue.put("other");
        let next = if words.outcome == "release" { "solo" } else { "other" };
        assert_eq!(queue.claim("anna", "next", 0)[..2], ["job", next]);
    }
}

#[test]
fn a_reservation_of_a_job_that_went_another_way_is_dropped_at_the_next_claim() {
    let mut queue = with_solo();
    assert_eq!(queue.claim("anna", "n1", 1)[0], "hold");
    queue.call(Verb::Cancel, &["solo"]);
    queue.put("other");
    assert_eq!(queue.claim("anna", "n2", 1)[..2], ["job", "other"]);
    assert!(!queue.dump().contains_key("solo_hold"));
}

#[test]
fn there_is_one_reservation_a_queue() {
    let mut queue = with_solo();
    // The second one crashes twice while the first waits, claimed by priority.
    queue.enqueue(&[Request { priority: 9, ..Request::new("second") }]);
    queue.crash("ben", "second", 2);
    assert_eq!(queue.claim("anna", "n1", 0)[..2], ["job", "second"]);
    assert_eq!(queue.claim("ben", "n2", 0), ["empty", "-1"], "the other waits for its turn");
    queue.report("second", "3:n1", &Words::done());
    assert_eq!(queue.claim("ben", "n3", 0)[..2], ["job", "solo"]);
}

#[test]
fn a_checkpoint_leads_back_to_the_others() {
    let mut queue = with_solo();
    let token = queue.lease("anna", "solo");
    queue.call(Verb::Checkpoint, &["solo", &token, "", "", "call1", "d"]);
    queue.report("solo", &token, &Words::release());
    assert!(queue.dump().contains_key("ready") && !queue.dump().contains_key("solo"));
}

#[test]
fn an_aborting_job_dies_alone_among_eight_innocents() {
    let mut queue = Queue::start();
    queue.enqueue(&[Request { priority: 9, ..Request::new("bad") }]);
    for at in 0..8 {
        queue.put(&format!("good{at}"));
    }
    queue.reap("reaper", false);
    // Whoever leases the bad one dies with all that it holds, three jobs at once.
    for life in 0..40 {
        let worker = format!("w{life}");
        let mut held = Vec::new();
        while held.len() < 3 {
            let answer = queue.claim(&worker, &format!("n{life}-{}", held.len()), held.len());
            if answer[0] != "job" {
                break;
            }
            queue.call(Verb::Begin, &[&answer[1], &answer[2]]);
            held.push((answer[1].clone(), answer[2].clone()));
        }
        if held.iter().any(|(id, _)| id == "bad") {
            queue.outlive_lease();
        } else {
            for (id, token) in &held {
                queue.report(id, token, &Words::done());
            }
        }
    }
    assert_eq!(queue.state("bad"), "dead");
    for at in 0..8 {
        assert_eq!(queue.state(&format!("good{at}")), "done", "good{at}");
    }
}
