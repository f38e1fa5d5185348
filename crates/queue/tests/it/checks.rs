//! The invariants of the crate's README, judged on Redis' own content: they do not trust the model.

use std::collections::{BTreeMap, BTreeSet};

use stillcast_enqueue::State;

use crate::dump::{Content, Dump};
use crate::fixture::Queue;
use crate::model::Model;

/// What must be seen over time.
#[derive(Default)]
pub(crate) struct Watch {
    /// State of each job after the step before.
    states: BTreeMap<String, String>,
    /// Tokens seen in a job's hash, with the job that had it.
    tokens: BTreeSet<(String, String)>,
    /// Tokens that were in force after the step before.
    current: BTreeMap<String, String>,
    /// A worker holds the wake marker and has not claimed since.
    pub(crate) marker_in_hand: bool,
}

const INDEXES: [&str; 8] =
    ["ready", "delayed", "parked", "leased", "done", "dead", "cancelled", "expired"];
const TERMINAL: [&str; 4] = ["done", "dead", "cancelled", "expired"];

type Jobs<'dump> = BTreeMap<&'dump str, &'dump BTreeMap<String, String>>;

impl Watch {
    /// Checks everything after one step; `what` names it.
    pub(crate) fn check(&mut self, queue: &mut Queue, model: &Model, dump: &Dump, what: &str) {
        let jobs = jobs(dump);
        conservation(queue, dump);
        one_index_each(dump, &jobs);
        bounded_attempts(queue, &jobs);
        no_flight_is_forgotten(dump, &jobs);
        self.terminal_states_stay(&jobs, what);
        self.tokens_are_new(&jobs);
        self.work_is_announced(model, dump);
    }

    /// I4: an ended job ends once; only a replay revives it, and only a dead one.
    fn terminal_states_stay(&mut self, jobs: &Jobs<'_>, what: &str) {
        for (id, before) in &self.states {
            let now = jobs.get(id.as_str()).map(|job| job["state"].as_str());
            if TERMINAL.contains(&before.as_str()) && now.is_some_and(|now| now != before) {
                assert!(
                    before == "dead" && what.contains("Replay"),
                    "I4: {id} was {before}: {what}"
                );
            }
        }
        let state = |(id, job): (&&str, &&BTreeMap<String, String>)| {
            ((*id).to_owned(), job["state"].clone())
        };
        self.states = jobs.iter().map(state).collect();
    }

    /// I5: a token that comes into force was never in force before.
    fn tokens_are_new(&mut self, jobs: &Jobs<'_>) {
        let mut current = BTreeMap::new();
        for (id, job) in jobs {
            let Some(token) = job.get("token") else { continue };
            current.insert((*id).to_owned(), token.clone());
            if self.current.get(*id) != Some(token) {
                let new = self.tokens.insert(((*id).to_owned(), token.clone()));
                assert!(new, "I5: {token} of {id} came back");
            }
        }
        self.current = current;
    }

    /// I16: what can be claimed has the wake marker, or a worker that took it is on its way.
    fn work_is_announced(&self, model: &Model, dump: &Dump) {
        let waits = dump.contains_key("ready") && !dump.contains_key("paused");
        let announced = dump.contains_key("wake") || self.marker_in_hand;
        assert!(!waits || announced, "I16: ready jobs and nobody knows, at {}", model.now);
    }
}

fn jobs(dump: &Dump) -> Jobs<'_> {
    dump.iter()
        .filter_map(|(key, entry)| match &entry.content {
            Content::Map(fields) => Some((key.strip_prefix("job:")?, fields)),
            _ => None,
        })
        .collect()
}

fn ranks<'dump>(dump: &'dump Dump, key: &str) -> Vec<&'dump String> {
    match dump.get(key).map(|entry| &entry.content) {
        Some(Content::Ranks(ranks)) => ranks.keys().collect(),
        _ => Vec::new(),
    }
}

/// I1, and I15 on the way: the script's counts are the sizes of the indexes.
fn conservation(queue: &mut Queue, dump: &Dump) {
    let stats = queue.stats();
    let size = |name: &str| i64::try_from(ranks(dump, name).len()).expect("few");
    let mut all = 0;
    for state in State::ALL {
        let held = size(state.as_str());
        assert_eq!(stats[state.as_str()], held, "I15: jobs in {state} (left: by the script)");
        all += held;
    }
    assert_eq!(stats["enqueued"], stats["purged"] + all, "I1: enqueued = purged + all states");
}

/// I2: each job lies in exactly one index, the one that its hash names.
fn one_index_each(dump: &Dump, jobs: &Jobs<'_>) {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for index in INDEXES {
        for id in ranks(dump, index) {
            found.entry(id).or_default().push(index);
        }
    }
    for (id, job) in jobs {
        assert_eq!(found.remove(id), Some(vec![&*job["state"]]), "I2: indexes of {id}");
    }
    assert!(found.is_empty(), "I2: indexed without a record: {found:?}");
}

/// I10.
fn bounded_attempts(queue: &Queue, jobs: &Jobs<'_>) {
    let limits = &queue.limits;
    for (id, job) in jobs {
        let number = |field: &str| job.get(field).map_or(0, |text| text.parse().expect("a number"));
        let (attempts, most): (u32, u32) = (number("attempts"), number("max_attempts"));
        assert!(attempts <= most, "I10: {id} had {attempts} of {most} attempts");
        assert!(number("crashes") <= limits.worker_deaths, "I10: crashes of {id}");
        assert!(number("stalls") <= limits.interruptions, "I10: interruptions of {id}");
    }
}

/// Whoever waits for a flight has an owner that pays, an heir that will, or the reaper coming.
fn no_flight_is_forgotten(dump: &Dump, jobs: &Jobs<'_>) {
    for key in dump.keys().filter_map(|key| key.strip_prefix("waiters:")) {
        let waiters = ranks(dump, &format!("waiters:{key}"));
        let parked = waiters.iter().any(|id| jobs[id.as_str()]["state"] == "parked");
        let owned = jobs.values().any(|job| lists(job, "owns", key));
        let inherited = jobs.values().any(|job| lists(job, "heir", key));
        assert!(!parked || owned || inherited, "{waiters:?} wait for {key} and nobody pays");
        for id in waiters {
            assert!(
                lists(jobs[id.as_str()], "awaits", key),
                "{id} does not know that it awaits {key}"
            );
        }
    }
}

fn lists(job: &BTreeMap<String, String>, field: &str, key: &str) -> bool {
    job.get(field).is_some_and(|text| text.lines().any(|line| line == key))
}
