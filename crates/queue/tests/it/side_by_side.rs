//! Workers of the last version and of this one on one queue: each runs its own scripts on the same keys,
//! in any order, as during an upgrade and during the way back.

use std::collections::BTreeSet;

use queue::Verb;
use redis::{Script, Value};

use crate::fixture::{LEASE, Queue, Request, Words, by_the_tests_clock, flatten};

/// The scripts of the last version, frozen.
const PREAMBLE: &str = include_str!("../golden/worker-v1/preamble.lua");
const VERBS: [(&str, &str); 7] = [
    ("claim", include_str!("../golden/worker-v1/claim.lua")),
    ("begin", include_str!("../golden/worker-v1/begin.lua")),
    ("checkpoint", include_str!("../golden/worker-v1/checkpoint.lua")),
    ("report", include_str!("../golden/worker-v1/report.lua")),
    ("renew", include_str!("../golden/worker-v1/renew.lua")),
    ("reap", include_str!("../golden/worker-v1/reap.lua")),
    ("drain", include_str!("../golden/worker-v1/drain.lua")),
];

/// An identifier and a token.
type Lease = (String, String);

/// Whose scripts are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Last,
    This,
}

impl Version {
    fn worker(self) -> &'static str {
        if self == Self::Last { "last" } else { "this" }
    }

    /// One job by the last version, up to three by this one.
    fn claim(self, queue: &mut Queue, nonce: &str) -> Vec<Lease> {
        if self == Self::This {
            let (_, jobs) = queue.claim_many("this", nonce, 0, 3);
            return jobs.into_iter().map(|job| (job[0].clone(), job[1].clone())).collect();
        }
        let answer = call(queue, "claim", &["last", nonce, &LEASE.to_string(), "0"]);
        if answer[0] == "job" { vec![(answer[1].clone(), answer[2].clone())] } else { Vec::new() }
    }

    fn begin(self, queue: &mut Queue, (id, token): &Lease) {
        let words = [id.as_str(), token];
        let answer = match self {
            Self::This => queue.call(Verb::Begin, &words),
            Self::Last => call(queue, "begin", &words),
        };
        assert_eq!(answer, ["ok"]);
    }

    fn checkpoint(self, queue: &mut Queue, (id, token): &Lease) {
        let words = [id, token, "", "", "call1", "d"];
        let answer = match self {
            Self::This => queue.call(Verb::Checkpoint, &words),
            Self::Last => call(queue, "checkpoint", &words),
        };
        assert_eq!(answer, ["ok"]);
    }

    fn report(self, queue: &mut Queue, (id, token): &Lease, words: &Words) {
        let answer = match self {
            Self::This => queue.report(id, token, words),
            Self::Last => {
                let delay = words.delay.to_string();
                let Words { outcome, reason, error, artifact, .. } = words;
                let all: [&str; 11] =
                    [id, token, outcome, &delay, reason, error, artifact, "", "", "20", "{}"];
                call(queue, "report", &all)
            }
        };
        assert_eq!(answer[0], "accepted", "{self:?} {words:?}");
    }

    fn reap(self, queue: &mut Queue) {
        if self == Self::This {
            queue.reap(false);
            return;
        }
        let lease = LEASE.to_string();
        let limits = ["3", "crashed", "20", "{}", "86400000", "100000", "86400000", "10000"];
        let words = [&["last", &lease, ""], &limits[..], &["", ""]].concat();
        call(queue, "reap", &words);
    }
}

/// A verb of the last version.
fn call(queue: &mut Queue, verb: &str, words: &[&str]) -> Vec<String> {
    let (_, source) = VERBS.into_iter().find(|(name, _)| *name == verb).expect("a verb");
    let script = Script::new(&by_the_tests_clock(&format!("{PREAMBLE}{source}")));
    let (_, names) = PREAMBLE.split_once("local ready").expect("the names of the keys");
    let (names, _) = names.split_once("= unpack(KEYS)").expect("their unpacking");
    let mut invocation = script.prepare_invoke();
    for name in ["ready"].into_iter().chain(names.split(',').skip(1).map(str::trim)) {
        invocation.key(queue.key(name));
    }
    invocation.arg(queue.scripts.keys().prefix()).arg(words);
    flatten(invocation.invoke::<Value>(&mut queue.connection).expect("Redis runs it"))
}

/// What becomes of an attempt, each in its turn; of every sixth its worker dies.
fn end(version: Version, queue: &mut Queue, lease: &Lease, turn: usize) {
    version.begin(queue, lease);
    match turn % 6 {
        0 => version.report(queue, lease, &Words::retry(1)),
        1 => version.report(queue, lease, &Words::release()),
        2 => version.report(queue, lease, &Words::park("rate", 1)),
        3 => {}
        4 => {
            version.checkpoint(queue, lease);
            version.report(queue, lease, &Words::done());
        }
        _ => version.report(queue, lease, &Words::done()),
    }
}

#[test]
fn workers_of_both_versions_bring_every_job_to_its_end() {
    let mut queue = Queue::start();
    for at in 0..60 {
        queue.enqueue(&[Request { max_attempts: 50, ..Request::new(format!("j{at}")) }]);
    }
    let (mut turn, mut tokens) = (0, BTreeSet::new());
    for round in 0..600 {
        for version in [Version::Last, Version::This] {
            for lease in version.claim(&mut queue, &format!("n{round}-{}", version.worker())) {
                assert!(tokens.insert(lease.clone()), "{lease:?} was given twice");
                turn += 1;
                end(version, &mut queue, &lease, turn + round / 7);
            }
        }
        queue.advance(LEASE / 6 + 1);
        if round % 2 == 0 { Version::Last } else { Version::This }.reap(&mut queue);
        let stats = queue.stats();
        let open = ["ready", "delayed", "parked", "leased"].map(|state| stats[state]);
        if open == [0; 4] {
            break;
        }
    }
    let stats = queue.stats();
    assert_eq!(stats["done"] + stats["dead"], 60, "{stats:?}");
    assert!(stats["done"] >= 40, "{stats:?}");
    let dump = queue.dump();
    for left in ["solo", "solo_hold", "deadlines", "leased"] {
        assert!(!dump.contains_key(left), "{left} is left");
    }
}

/// A suspect that an old reaper has put into its lane is run by whichever version comes first.
#[test]
fn a_suspect_of_an_old_reaper_is_no_prisoner() {
    let mut queue = Queue::start();
    queue.put("bad");
    Version::Last.reap(&mut queue);
    for at in 0..2 {
        let lease = Version::Last.claim(&mut queue, &format!("n{at}"))[0].clone();
        Version::Last.begin(&mut queue, &lease);
        for _ in 0..7 {
            queue.advance(LEASE / 6);
            Version::Last.reap(&mut queue);
        }
    }
    assert!(queue.dump().contains_key("solo"), "the old one set it apart");
    Version::This.reap(&mut queue);
    let lease = Version::This.claim(&mut queue, "n3")[0].clone();
    assert_eq!(lease.0, "bad");
    Version::This.begin(&mut queue, &lease);
    Version::This.report(&mut queue, &lease, &Words::done());
    assert_eq!(queue.state("bad"), "done");
}

/// What an old worker holds, a new one reaps, and the other way round: as a crash in both cases.
#[test]
fn each_version_reaps_what_the_other_has_begun() {
    for (holder, reaper) in [(Version::Last, Version::This), (Version::This, Version::Last)] {
        let mut queue = Queue::start();
        queue.put("a");
        reaper.reap(&mut queue);
        let lease = holder.claim(&mut queue, "n1")[0].clone();
        holder.begin(&mut queue, &lease);
        for _ in 0..7 {
            queue.advance(LEASE / 6);
            reaper.reap(&mut queue);
        }
        assert_eq!(queue.field("a", "crashes"), "1", "{holder:?} held it");
        assert_eq!(queue.state("a"), "ready");
    }
}
