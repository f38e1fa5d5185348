//! What people do to a queue: each change has its line, and nothing else has one.

use queue::{Actor, AuditEntry, Endpoint, Inspector, Interface, Verb};

use crate::fixture::{Queue, Request, START, TOLD, Words};

/// Lines that are kept.
const KEPT: usize = 10_000;

/// Brings about what the verb changes; the action, and the result of its line.
fn provoke(queue: &mut Queue, verb: Verb) -> (&'static str, &'static str) {
    let said = match verb {
        Verb::Cancel => ("cancel", "cancelled"),
        Verb::Replay => ("replay", "ready"),
        Verb::Purge => ("purge", "purged"),
        Verb::Pause => ("pause", "paused"),
        Verb::Resend => ("resend-webhook", "due"),
        other => unreachable!("{other:?} is a verb of people that no test provokes"),
    };
    queue.enqueue(&[Request { body: TOLD.to_owned(), ..Request::new("a") }]);
    if !matches!(verb, Verb::Cancel | Verb::Pause) {
        let token = queue.lease("ben", "a");
        queue.report("a", &token, &Words::dead());
    }
    queue.call(verb, &[if verb == Verb::Pause { "pause" } else { "a" }]);
    said
}

async fn inspector(queue: &Queue) -> Inspector {
    let endpoint = Endpoint::new(&queue.server.url(), "test").expect("an address");
    Inspector::connect(endpoint).await.expect("the server is there")
}

fn entries(queue: &Queue) -> Vec<AuditEntry> {
    let read = async { inspector(queue).await.audit(500, None).await.expect("a page").entries };
    queue.server.block_on(read)
}

#[test]
fn every_verb_of_people_leaves_a_line_of_who_did_what_to_which_job() {
    for verb in Verb::all().filter(|verb| verb.is_of_people()) {
        let mut queue = Queue::start();
        let (action, result) = provoke(&mut queue, verb);
        let entries = entries(&queue);
        assert_eq!(entries.len(), 1, "{verb:?}: {entries:?}");
        let AuditEntry { number, at, by, interface, job, tenant, why, .. } = &entries[0];
        assert_eq!((*number, at.timestamp_millis(), by.as_str()), (1, START, "anna"));
        assert_eq!((interface.as_str(), why), ("cli", &None));
        assert_eq!((entries[0].action.as_str(), entries[0].result.as_str()), (action, result));
        let of_the_queue = verb == Verb::Pause;
        assert_eq!(job.as_deref(), (!of_the_queue).then_some("a"), "{verb:?}");
        assert_eq!(tenant.as_deref(), (!of_the_queue).then_some("t"), "{verb:?}");
    }
}

#[test]
fn no_verb_of_people_can_be_called_by_nobody() {
    for verb in Verb::all().filter(|verb| verb.is_of_people()) {
        let mut queue = Queue::start();
        queue.put("pause");
        let before = queue.dump();
        let error = queue.try_call(verb, &[b"pause".to_vec()]).expect_err("nobody called");
        assert_eq!(error.code(), Some("INVALID"), "{verb:?}");
        assert!(queue.dump() == before, "{verb:?}");
    }
}

#[test]
fn what_changes_nothing_leaves_no_line() {
    let mut queue = Queue::start();
    queue.put("a");
    for verb in [Verb::Replay, Verb::Purge, Verb::Resend] {
        queue.call(verb, &["a"]);
        queue.call(verb, &["nobody"]);
    }
    queue.call(Verb::Pause, &["resume"]);
    assert_eq!(entries(&queue), []);
    queue.lease("ben", "a");
    for (verb, word) in [(Verb::Cancel, "a"), (Verb::Pause, "pause"), (Verb::Pause, "resume")] {
        queue.call(verb, &[word]);
        queue.call(verb, &[word]);
    }
    let results: Vec<String> = entries(&queue).into_iter().map(|entry| entry.result).collect();
    assert_eq!(results, ["resumed", "paused", "cancelling"], "one each, the newest first");
}

/// A resume of a queue that was not paused lets a refused fleet ask anew: that is a change too.
#[test]
fn a_resume_that_only_wakes_the_refused_has_its_line() {
    let mut queue = Queue::start();
    queue.put("a");
    let token = queue.lease("ben", "a");
    queue.report("a", &token, &Words::park("provider", 60_000));
    assert_eq!(queue.call(Verb::Pause, &["resume"]), ["0"]);
    assert_eq!(queue.call(Verb::Probe, &["tts", "refused", "1", "9", "9", "1"]), ["1"]);
    queue.call(Verb::Pause, &["resume"]);
    queue.call(Verb::Pause, &["resume"]);
    let results: Vec<String> = entries(&queue).into_iter().map(|entry| entry.result).collect();
    assert_eq!(results, ["probed-anew", "probed-anew"]);
}

#[test]
fn the_latest_ten_thousand_are_kept_and_paged_through() {
    let mut queue = Queue::start();
    let fill = "for n = 1, ARGV[1] do redis.call('ZADD', KEYS[1], n, '[' .. n ..
        ',\"1\",\"a\",\"api\",\"cancel\",\"cancelled\",\"\",\"j\",\"t\",\"\",0]') end
        redis.call('HSET', KEYS[2], 'audited', ARGV[1])";
    let (audit, counts, kept) = (queue.key("audit"), queue.key("counts"), KEPT.to_string());
    let _: () = queue.command(&["EVAL", fill, "2", &audit, &counts, &kept]);
    queue.call(Verb::Pause, &["pause"]);
    queue.call(Verb::Pause, &["resume"]);
    assert_eq!(queue.command::<usize>(&["ZCARD", &audit]), KEPT);
    let numbers = queue.server.block_on(async {
        let inspector = inspector(&queue).await;
        let (mut numbers, mut before) = (Vec::new(), None);
        loop {
            let page = inspector.audit(500, before).await.expect("a page");
            numbers.extend(page.entries.iter().map(|entry| entry.number));
            before = page.next;
            if before.is_none() {
                return numbers;
            }
        }
    });
    let newest = u64::try_from(KEPT + 2).expect("a number");
    assert_eq!(numbers, (3..=newest).rev().collect::<Vec<_>>(), "the oldest two have gone");
}

#[test]
fn whoever_changes_says_why() {
    let mut queue = Queue::in_real_time();
    queue.put("a");
    queue.server.block_on(async {
        let inspector = inspector(&queue).await;
        let actor = Actor::new(Interface::Page, "dörte").because(Some("\"wrong\" text"));
        inspector.cancel("a", &actor.expect("a line")).await.expect("an answer");
    });
    let entry = entries(&queue).remove(0);
    assert_eq!((entry.by.as_str(), entry.interface.as_str()), ("dörte", "page"));
    assert_eq!(entry.why.as_deref(), Some("\"wrong\" text"));
}

/// A line a job would push out everything else.
#[test]
fn a_bulk_action_has_one_line_for_all_of_its_jobs_and_one_when_it_is_stopped() {
    let mut queue = Queue::start();
    for id in ["a", "b", "c"] {
        queue.put(id);
    }
    let wish = ["x", "begin", "cancel", "state:ready", "t", "ben", "page", "a mistake", "5"];
    queue.call(Verb::Bulk, &wish);
    queue.call(Verb::Bulk, &["x", "gather", "s1", "9000", "1", "a", "2", "b", "3", "c"]);
    assert_eq!(entries(&queue), [], "no job has changed");
    queue.call(Verb::Bulk, &["x", "run", "s1", "9000"]);
    queue.call(Verb::BulkStep, &["x", "s1", "9000", "2"]);
    queue.call(Verb::Bulk, &["x", "stop", "anna", "cli", ""]);
    queue.call(Verb::Bulk, &["x", "stop", "anna", "cli", ""]);
    let [stopped, begun] = <[AuditEntry; 2]>::try_from(entries(&queue)).expect("two lines");
    assert_eq!((begun.by.as_str(), begun.interface.as_str()), ("ben", "page"));
    assert_eq!((begun.action.as_str(), begun.result.as_str()), ("cancel", "running"));
    assert_eq!((begun.filter.as_deref(), begun.jobs), (Some("state:ready"), Some(3)));
    assert_eq!((begun.job, begun.tenant.as_deref()), (None, Some("t")));
    assert_eq!(begun.why.as_deref(), Some("a mistake"));
    assert_eq!((stopped.by.as_str(), stopped.action.as_str()), ("anna", "stop-bulk"));
    assert_eq!((stopped.result.as_str(), stopped.jobs), ("stopped", Some(1)));
    assert_eq!([queue.state("b"), queue.state("c")], ["cancelled", "ready"]);
}

#[test]
fn a_bulk_action_has_a_line_as_it_sets_out_and_one_when_it_is_stopped() {
    let mut queue = Queue::start();
    let begin = |id| [id, "begin", "cancel", "state:ready", "t", "anna", "page", "tidy", "1"];
    for (id, step) in [("b1", "run"), ("b2", "stop")] {
        queue.call(Verb::Bulk, &begin(id));
        queue.call(Verb::Bulk, &[id, "gather", "server", "60000", "7", "a", "8", "b"]);
        let asked: &[&str] =
            if step == "run" { &["server", "60000"] } else { &["ben", "api", "wrong"] };
        let words: Vec<&str> = [id, step].iter().chain(asked).copied().collect();
        queue.call(Verb::Bulk, &words);
        queue.call(Verb::Bulk, &words);
    }
    let entries = entries(&queue);
    let told = |entry: &AuditEntry| (entry.by.clone(), entry.filter.clone(), entry.jobs);
    let told: Vec<_> = entries.iter().map(told).collect();
    let filter = || Some("state:ready".to_owned());
    let expected = [("ben".to_owned(), filter(), Some(2)), ("anna".to_owned(), filter(), Some(2))];
    assert_eq!(told, expected, "one each, the newest first: {entries:?}");
    assert_eq!((entries[0].action.as_str(), entries[1].action.as_str()), ("stop-bulk", "cancel"));
    assert_eq!(entries[1].why.as_deref(), Some("tidy"));
}
