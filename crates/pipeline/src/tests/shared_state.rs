//! A store, a cache and flights that live in memory, shared by all jobs of a test, and a log of what
//! was asked of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use stillcast_enqueue::Cost;

use crate::{
    Checkpoints, FlightResult, Flights, Interrupted, JoinAnswer, Listed, Memory, ObjectKey,
    ObjectStore, ProviderError, Put, SharedCache, Sharing,
};

/// All that outlives a job.
#[derive(Default)]
pub(crate) struct SharedState(Mutex<State>);

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Bytes>,
    values: BTreeMap<String, Bytes>,
    /// Who owns a flight.
    owners: BTreeMap<String, String>,
    marks: BTreeMap<String, JoinAnswer>,
    log: Vec<String>,
    is_cache_down: bool,
    is_store_down: bool,
    /// What a rival puts first, by kind.
    rivals: BTreeMap<String, Bytes>,
    /// What each job has cost: in attempts that have ended, and in this one.
    costs: BTreeMap<String, (Cost, Cost)>,
}

/// What one job remembers; lives as long as its record.
pub(crate) struct JobMemory {
    shared: Arc<SharedState>,
    job: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    digests: BTreeMap<String, String>,
    said: Option<String>,
    words: Option<String>,
}

impl SharedState {
    pub(crate) fn memory(self: &Arc<Self>, job: &str, shares: bool) -> Memory {
        let kept = Mutex::default();
        let own = Arc::new(JobMemory { shared: Arc::clone(self), job: job.to_owned(), kept });
        let cache = Arc::clone(self) as Arc<dyn SharedCache>;
        let flights = Arc::clone(&own) as Arc<dyn Flights>;
        let sharing = shares.then_some(Sharing { cache, flights });
        Memory { checkpoints: own, objects: Arc::clone(self) as Arc<dyn ObjectStore>, sharing }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn note(&self, verb: &str, key: &str) {
        let kind = key.split('/').nth(1).unwrap_or(key);
        self.state().log.push(format!("{verb} {kind}"));
    }

    /// What was asked about `kind` until now; the log begins anew.
    pub(crate) fn told_of(&self, kind: &str) -> Vec<String> {
        let log = std::mem::take(&mut self.state().log);
        let about = log.into_iter().filter(|line| line.split(' ').any(|word| word == kind));
        about.map(|line| line.replace(&format!(" {kind}"), "")).collect()
    }

    /// How often `verb` was said of a key that begins so.
    pub(crate) fn said(&self, verb: &str, of: &str) -> usize {
        let begins = format!("{verb} {of}");
        self.state().log.iter().filter(|line| line.starts_with(&begins)).count()
    }

    pub(crate) fn cache_down(&self, is_down: bool) {
        self.state().is_cache_down = is_down;
    }

    pub(crate) fn store_down(&self, is_down: bool) {
        self.state().is_store_down = is_down;
    }

    /// Every value's time is over, and nobody owns a flight.
    pub(crate) fn expire(&self) {
        let mut state = self.state();
        state.values.clear();
        state.objects.retain(|key, _| !key.starts_with("cache/"));
    }

    /// Only the objects of the cache are gone.
    pub(crate) fn sweep(&self) {
        self.state().objects.retain(|key, _| !key.starts_with("cache/"));
    }

    /// Another job owns the flight of `kind`, whatever its key.
    pub(crate) fn occupy(&self, kind: &str) {
        self.state().owners.insert(kind.to_owned(), "another".to_owned());
    }

    /// The other job's flight ends without an answer.
    pub(crate) fn abandon(&self, kind: &str) {
        self.state().owners.remove(kind);
    }

    /// Somebody puts `value` for `kind` right before the next put.
    pub(crate) fn outrun(&self, kind: &str, value: Bytes) {
        self.state().rivals.insert(kind.to_owned(), value);
    }

    /// The keys of all values.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.state().values.keys().cloned().collect()
    }

    pub(crate) fn objects(&self, area: &str) -> usize {
        self.state().objects.keys().filter(|key| key.starts_with(area)).count()
    }

    /// The job has left its lease: its flights are anybody's, and its attempt's cost is booked.
    pub(crate) fn leave(&self, job: &str) {
        let mut state = self.state();
        state.owners.retain(|_, owner| owner != job);
        let (earlier, now) = state.costs.entry(job.to_owned()).or_default();
        *earlier = *earlier + std::mem::take(now);
    }

    pub(crate) fn owned(&self) -> usize {
        self.state().owners.len()
    }
}

#[async_trait]
impl Checkpoints for JobMemory {
    fn recall(&self, name: &str) -> Option<String> {
        self.shared.note("recall", name);
        self.kept.lock().unwrap().digests.get(name).cloned()
    }

    async fn remember(&self, name: &str, digest: &str) -> Result<(), Interrupted> {
        self.shared.note("remember", name);
        let mut kept = self.kept.lock().unwrap();
        kept.digests.entry(name.to_owned()).or_insert_with(|| digest.to_owned());
        kept.words = kept.said.take().or(kept.words.take());
        Ok(())
    }

    fn remember_later(&self, name: &str, digest: &str) {
        self.shared.note("remember-later", name);
        let mut kept = self.kept.lock().unwrap();
        kept.digests.entry(name.to_owned()).or_insert_with(|| digest.to_owned());
    }

    async fn partial_transcript(&self) -> Result<Option<String>, Interrupted> {
        Ok(self.kept.lock().unwrap().words.clone())
    }

    fn save_partial_transcript(&self, words: &str) {
        self.kept.lock().unwrap().said = Some(words.to_owned());
    }

    fn record_cost(&self, cost: Cost) {
        self.shared.state().costs.entry(self.job.clone()).or_default().1 = cost;
    }

    fn earlier_cost(&self) -> Cost {
        self.shared.state().costs.get(&self.job).map_or_else(Cost::default, |(earlier, _)| *earlier)
    }
}

#[async_trait]
impl Flights for JobMemory {
    async fn join(&self, key: &str) -> Result<JoinAnswer, Interrupted> {
        self.shared.note("join", key);
        let mut state = self.shared.state();
        if let Some(mark) = state.marks.get(key) {
            return Ok(mark.clone());
        }
        let kind = key.split('/').nth(1).unwrap_or_default();
        if state.owners.contains_key(kind) {
            return Ok(JoinAnswer::Waiting);
        }
        let owner = state.owners.entry(key.to_owned()).or_insert_with(|| self.job.clone());
        Ok(if *owner == self.job { JoinAnswer::Owned } else { JoinAnswer::Waiting })
    }

    async fn land(&self, key: &str, landing: &FlightResult) -> Result<(), Interrupted> {
        let (word, mark) = match landing {
            FlightResult::Stored => ("stored", None),
            FlightResult::Unshared => ("unshared", Some(JoinAnswer::Unshared)),
            FlightResult::Permanent(report) => {
                ("permanent", Some(JoinAnswer::Permanent(report.clone())))
            }
        };
        self.shared.note(&format!("land-{word}"), key);
        let mut state = self.shared.state();
        if state.owners.get(key) == Some(&self.job) {
            state.owners.remove(key);
            state.marks.extend(mark.map(|mark| (key.to_owned(), mark)));
        }
        Ok(())
    }
}

#[async_trait]
impl SharedCache for SharedState {
    async fn get(&self, keys: &[&str]) -> Option<(usize, Bytes)> {
        self.note("get", keys.first().unwrap());
        let state = self.state();
        let there = |(at, key): (usize, &&str)| Some((at, state.values.get(*key)?.clone()));
        if state.is_cache_down { None } else { keys.iter().enumerate().find_map(there) }
    }

    async fn put_if_absent(&self, key: &str, value: Bytes) -> Put {
        self.note("put", key);
        let mut state = self.state();
        if state.is_cache_down {
            return Put::Refused;
        }
        let rival = key.split('/').nth(1).and_then(|kind| state.rivals.remove(kind));
        if let Some(rival) = rival {
            state.values.insert(key.to_owned(), rival);
        }
        if let Some(present) = state.values.get(key) {
            return Put::Present(present.clone());
        }
        state.values.insert(key.to_owned(), value);
        Put::Stored
    }

    async fn delete(&self, key: &str) {
        self.note("delete", key);
        self.state().values.remove(key);
    }
}

impl SharedState {
    fn store(&self) -> Result<MutexGuard<'_, State>, ProviderError> {
        let state = self.state();
        if state.is_store_down {
            return Err(ProviderError::transient("shared", "store-failed", "as scripted"));
        }
        Ok(state)
    }
}

#[async_trait]
impl ObjectStore for SharedState {
    async fn get(&self, key: &ObjectKey) -> Result<Option<Bytes>, ProviderError> {
        Ok(self.store()?.objects.get(key.as_str()).cloned())
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<bool, ProviderError> {
        let mut state = self.store()?;
        let is_new = !state.objects.contains_key(key.as_str());
        state.objects.entry(key.to_string()).or_insert(bytes);
        Ok(is_new)
    }

    async fn copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<bool, ProviderError> {
        let mut state = self.store()?;
        let Some(bytes) = state.objects.get(from.as_str()).cloned() else { return Ok(false) };
        state.objects.entry(to.to_string()).or_insert(bytes);
        Ok(true)
    }

    async fn size(&self, key: &ObjectKey) -> Result<Option<u64>, ProviderError> {
        Ok(self.store()?.objects.get(key.as_str()).map(|bytes| bytes.len() as u64))
    }

    async fn delete_prefix(&self, _: &ObjectKey) -> Result<usize, ProviderError> {
        Err(ProviderError::permanent("shared", "unasked", "the pipeline deletes nothing"))
    }

    async fn list(&self, _: &ObjectKey) -> Result<Vec<Listed>, ProviderError> {
        Err(ProviderError::permanent("shared", "unasked", "the pipeline lists nothing"))
    }
}
