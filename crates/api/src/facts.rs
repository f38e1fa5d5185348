//! A record goes in; what a search may ask of it comes out, as small as it gets.

use std::collections::HashSet;
use std::sync::Arc;

use stillcast_enqueue::{Cost, ErrorReport, Format, JobRecord, StageName, State};

/// What each job costs in memory beside its identifier and its own words.
const ROW_BYTES: usize = 320;

/// What is searched of one job. No private text, as in the record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Facts {
    pub(crate) id: Arc<str>,
    pub(crate) state: State,
    pub(crate) format: Option<Format>,
    /// The stage that a worker last began.
    pub(crate) stage: Option<StageName>,
    pub(crate) tenant: Arc<str>,
    pub(crate) priority: u8,
    /// The last failure.
    pub(crate) failure: Option<Box<Failure>>,
    /// The caller's strings, sorted by their keys.
    pub(crate) metadata: Box<[(Arc<str>, Arc<str>)]>,
    /// When it was accepted, in ms since 1970.
    pub(crate) enqueued_ms: i64,
    /// When it ended.
    pub(crate) finished_ms: Option<i64>,
    /// Money, of all its attempts.
    pub(crate) cost: Cost,
}

/// What is searched of a failure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) code: Arc<str>,
    pub(crate) stage: Option<StageName>,
    pub(crate) provider: Option<Arc<str>>,
}

/// Words that many jobs share, such as tenants and codes: each is kept once.
#[derive(Debug, Default)]
pub(crate) struct Words(HashSet<Arc<str>>);

impl Facts {
    /// The facts of a record; a time that it does not know counts as the beginning of all.
    pub(crate) fn of(record: &JobRecord, words: &mut Words) -> Self {
        let pair = |(key, value): (&String, &String)| (words.keep(key), words.keep(value));
        let metadata = record.metadata.iter().map(pair).collect();
        Self {
            id: record.id.as_str().into(),
            state: record.state,
            format: record.format,
            stage: record.stage,
            tenant: words.keep(&record.tenant),
            priority: record.priority,
            failure: record.error.as_ref().map(|error| Failure::of(error, words).into()),
            metadata,
            enqueued_ms: record.enqueued_at.map_or(0, |at| at.timestamp_millis()),
            finished_ms: record.finished_at.map(|at| at.timestamp_millis()),
            cost: record.cost,
        }
    }

    /// Roughly how much memory it takes, as if it shared no word.
    pub(crate) fn bytes(&self) -> usize {
        let word = |(key, value): &(Arc<str>, Arc<str>)| key.len() + value.len() + 64;
        ROW_BYTES + self.id.len() + self.metadata.iter().map(word).sum::<usize>()
    }
}

impl Failure {
    fn of(error: &ErrorReport, words: &mut Words) -> Self {
        Self {
            code: words.keep(&error.code),
            stage: error.stage,
            provider: error.provider.as_deref().map(|provider| words.keep(provider)),
        }
    }
}

impl Words {
    fn keep(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.0.get(word) {
            return Arc::clone(known);
        }
        let new: Arc<str> = word.into();
        self.0.insert(Arc::clone(&new));
        new
    }

    /// Lets go of the words that no job has any more.
    pub(crate) fn sweep(&mut self) {
        self.0.retain(|word| Arc::strong_count(word) > 1);
    }
}
