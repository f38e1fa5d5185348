//! The scripts as texts: they agree with the key names, and none can run away.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use queue::Verb;

use crate::fixture::{LEASE, Queue, Reap, Request, START, Words};

/// Most steps of one loop, and most values of one `unpack`.
const LIMIT: u32 = 500;
/// Most jobs that one call may touch.
const JOBS_A_SCRIPT: usize = 100;

fn sources() -> Vec<(String, String)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of all crates");
    let folders = ["queue/lua", "enqueue/lua"].map(|folder| crates.join(folder));
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a script");
        (path.file_name().expect("a name").to_string_lossy().into_owned(), text)
    };
    files.map(read).collect()
}

#[test]
fn every_script_opens_with_its_contract() {
    let all = sources();
    assert_eq!(all.len(), Verb::all().len() + 7, "each verb, enqueue, the preambles and parts");
    for (name, text) in all {
        let head: Vec<&str> =
            text.lines().take_while(|line| line.starts_with(['-', '#'])).collect();
        let says = |word: &str| head.iter().any(|line| line.starts_with(&format!("-- {word}")));
        assert!(head.len() >= 3, "{name} has no head");
        assert!(says("ARGV") || !text.contains("ARGV["), "{name}: no ARGV");
        assert!(says("Returns") || says("KEYS"), "{name}: neither returns nor keys");
    }
}

/// Every range that a script reads is bounded, or is of one job or one call.
#[test]
fn no_script_reads_a_whole_index() {
    for (name, text) in sources() {
        for word in ["'KEYS'", "'SMEMBERS'", "'HKEYS'", "'HVALS'", "'SORT'", "0, -1"] {
            assert!(!text.contains(word), "{name} uses {word}");
        }
        for line in text.lines().filter(|line| line.contains("ZRANGEBYSCORE")) {
            let bounds = ["'LIMIT', 0, ", "'LIMIT', first, most"];
            assert!(bounds.iter().any(|bound| line.contains(bound)), "{name}: {line}");
        }
        for line in text.lines().filter(|line| line.trim_start().starts_with("for _ = 1, ")) {
            let bound = line.trim_start().trim_start_matches("for _ = 1, ").trim_end_matches(" do");
            let known = bound.parse::<u32>().is_ok_and(|bound| bound <= LIMIT);
            assert!(known || ["JOBS_A_SCRIPT", "OF_A_KIND"].contains(&bound), "{name}: {line}");
        }
        for line in text.lines().filter(|line| line.contains("'HGETALL'")) {
            assert!(line.contains("job_key(id)"), "{name}: {line}");
        }
        if let Some((_, rest)) = text.split_once("JOBS_A_SCRIPT = ") {
            let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
            assert!(number.parse::<usize>().is_ok_and(|n| n <= JOBS_A_SCRIPT), "{name}: {number}");
        }
    }
}

/// Jobs of each kind in a crowd.
const OF_A_KIND: i64 = 120;

/// Jobs whose record another one is after the call than before.
fn touched(queue: &mut Queue, call: impl FnOnce(&mut Queue)) -> usize {
    let jobs = |queue: &mut Queue| {
        let all = queue.dump().into_iter();
        all.filter(|(key, _)| key.starts_with("job:")).collect::<BTreeMap<_, _>>()
    };
    let before = jobs(queue);
    call(queue);
    let after = jobs(queue);
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    ids.into_iter().filter(|id| before.get(*id) != after.get(*id)).count()
}

/// More than a hundred of each kind that a reaper has to do with, and a flight on which so many wait.
fn crowded() -> Queue {
    let mut queue = Queue::start();
    queue.limits.records_live = Duration::from_mins(1);
    queue.reap(false);
    for kind in ["old", "late", "due", "leased", "parked", "waiting"] {
        for at in 0..OF_A_KIND {
            let id = format!("{kind}{at}");
            let run_at = if kind == "due" { START + 61_000 } else { 0 };
            let deadline = if kind == "late" { START + 61_000 } else { 0 };
            let priority = if kind == "late" { 0 } else { 9 };
            queue.enqueue(&[Request { priority, run_at, deadline, ..Request::new(&id) }]);
            if ["due", "late"].contains(&kind) {
                continue;
            }
            let token = queue.lease(&id, &id);
            match kind {
                "old" => drop(queue.report(&id, &token, &Words::done())),
                "parked" => drop(queue.report(&id, &token, &Words::park("rate", 61_000))),
                "waiting" => {
                    queue.call(Verb::Join, &[&id, &token, "k"]);
                    queue.report(&id, &token, &Words::await_flights(&["k"]));
                }
                _ => {}
            }
        }
    }
    queue.set_time(START + 61_000 - LEASE);
    queue.reap(false);
    queue.set_time(START + 61_000);
    queue
}

#[test]
fn no_call_touches_more_than_a_hundred_jobs_and_says_when_it_left_some() {
    let mut queue = crowded();
    let mut all = Reap::default();
    let mut calls = 0;
    loop {
        let mut reap = Reap::default();
        let jobs = touched(&mut queue, |queue| reap = queue.reap(true));
        assert!(jobs <= JOBS_A_SCRIPT, "call {calls} touched {jobs} jobs");
        all.leases += reap.leases;
        all.expired += reap.expired;
        all.purged += reap.purged;
        calls += 1;
        if reap.more == 0 {
            break;
        }
        assert!(jobs >= JOBS_A_SCRIPT / 4, "call {calls} left something and did {jobs}");
    }
    let quiet = touched(&mut queue, |queue| {
        queue.reap(true);
    });
    assert_eq!(quiet, 0, "what says that nothing is left has left nothing");
    let stats = queue.stats();
    assert_eq!((all.expired, all.purged), (OF_A_KIND, OF_A_KIND), "{stats:?}");
    assert_eq!((stats["due_delayed"], stats["due_parked"], stats["leased"]), (0, 0, 0));
    assert!(calls <= 12, "{calls} calls for 720 jobs");
}

#[test]
fn a_claim_and_a_landing_in_a_crowd_touch_no_more_than_a_hundred_jobs() {
    let mut queue = crowded();
    for claim in 0..5 {
        let nonce = format!("n{claim}");
        let jobs = touched(&mut queue, |queue| drop(queue.claim_many("anna", &nonce, 0, 500)));
        assert!(jobs <= JOBS_A_SCRIPT, "claim {claim} touched {jobs} jobs");
    }
}

#[test]
fn the_worst_reap_stays_within_its_steps() {
    let mut queue = Queue::start();
    for batch in 0..4 {
        let one =
            |at: usize| Request { deadline: START + 10, ..Request::new(format!("j{batch}-{at}")) };
        queue.enqueue(&(0..500).map(one).collect::<Vec<_>>());
    }
    queue.advance(10);
    let expired: Vec<i64> = (0..28).map(|_| queue.reap(false).expired).collect();
    assert_eq!(expired[..26], [75; 26], "three quarters of a hundred");
    assert_eq!(expired[26..], [50, 0]);
}
