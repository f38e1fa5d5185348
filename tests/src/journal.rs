//! What really happened, written by the handlers outside Redis: one JSON line an event.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a handler did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// An attempt began.
    Attempt,
    /// A paid call began.
    CallStart,
    /// A paid call was answered: from here on its price is paid for good.
    CallEnd,
    /// The checkpoint of a call was accepted: it is never paid again.
    Kept,
    /// All calls are through; the report follows.
    Finish,
}

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Wall clock in ms, the clock of Redis on the same host.
    pub at: i64,
    /// The worker.
    pub worker: String,
    /// The job.
    pub job: String,
    /// `fence:nonce`.
    pub token: String,
    /// What it did.
    pub act: Act,
    /// Which call, from 1; 0 for the job itself.
    pub call: u32,
    /// What the call is for: jobs that share a flight share its keys.
    pub key: String,
}

/// The writing end. One `write` an event, so that a kill never tears a line.
#[derive(Debug)]
pub struct Journal {
    file: File,
}

impl Journal {
    /// Opens the file for appending.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file })
    }

    /// Appends one line.
    pub fn write(&self, entry: &Entry) {
        let mut line = serde_json::to_vec(entry).expect("an entry is plain data");
        line.push(b'\n');
        (&self.file).write_all(&line).expect("the journal's disk has room");
    }
}

/// The reading end.
#[derive(Debug)]
pub struct Account {
    path: PathBuf,
}

impl Account {
    /// The journal at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Every whole line so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// How often `job` did `act`, by call.
    #[must_use]
    pub fn count(&self, job: &str, act: Act) -> BTreeMap<u32, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.entries() {
            if entry.job == job && entry.act == act {
                *counts.entry(entry.call).or_default() += 1;
            }
        }
        counts
    }

    /// Calls that were answered more than once, by key: money paid twice.
    #[must_use]
    pub fn paid_twice(&self) -> Vec<String> {
        let mut paid = HashSet::new();
        let ends = self.entries().into_iter().filter(|entry| entry.act == Act::CallEnd);
        ends.filter_map(|entry| (!paid.insert(entry.key.clone())).then_some(entry.key)).collect()
    }

    /// Calls that were answered, and whose checkpoint was still on its way when their attempt ended, by key.
    /// Each of them may be answered once more; whoever kills says how many there may be.
    #[must_use]
    pub fn on_their_way(&self) -> Vec<String> {
        let entries = self.entries();
        let of = |entry: &Entry| (entry.token.clone(), entry.call);
        let kept: HashSet<_> =
            entries.iter().filter(|entry| entry.act == Act::Kept).map(of).collect();
        let ends = entries.iter().filter(|entry| entry.act == Act::CallEnd);
        let under_way = ends.filter(|entry| !kept.contains(&of(entry)));
        under_way.map(|entry| entry.key.clone()).collect()
    }

    /// Calls that began once more after their checkpoint had been accepted, by key. One that was under way at
    /// a stopped worker may still be answered later: its money was spent before.
    #[must_use]
    pub fn paid_though_kept(&self) -> Vec<String> {
        let mut kept = HashSet::new();
        let mut again = Vec::new();
        for Entry { act, key, .. } in self.entries() {
            if act == Act::CallStart && kept.contains(&key) {
                again.push(key);
            } else if act == Act::Kept {
                kept.insert(key);
            }
        }
        again
    }

    /// Calls that began under a token after a newer token of the same job had begun one.
    #[must_use]
    pub fn stale_starts(&self) -> Vec<Entry> {
        let fence = |entry: &Entry| {
            entry.token.split(':').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0)
        };
        let mut newest: BTreeMap<String, u64> = BTreeMap::new();
        let mut stale = Vec::new();
        for entry in self.entries() {
            let seen = newest.entry(entry.job.clone()).or_default();
            if entry.act == Act::CallStart && fence(&entry) < *seen {
                stale.push(entry);
            } else {
                *seen = (*seen).max(fence(&entry));
            }
        }
        stale
    }
}
