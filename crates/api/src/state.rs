//! What every route is given.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use providers::store::Store;
use queue::Inspector;
use stillcast_enqueue::{JobRecord, Producer};

use crate::bulk::Bulks;
use crate::caller::Caller;
use crate::cursor::CursorKey;
use crate::hub::Hub;
use crate::mirror::{Mirror, ROOM};
use crate::options::ApiOptions;
use crate::page::{Assets, Lookout};
use crate::problem::{Code, Problem};
use crate::rate_limit::RateLimit;
use crate::tokens::Tokens;

/// The queue, the store and what is known of callers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) inspector: Inspector,
    pub(crate) producer: Producer,
    store: Option<Arc<dyn Store>>,
    pub(crate) tokens: Tokens,
    pub(crate) rate_limit: Option<Arc<RateLimit>>,
    pub(crate) cursors: CursorKey,
    pub(crate) hub: Hub,
    /// What is searched.
    pub(crate) mirror: Mirror,
    /// What is wished of many jobs.
    pub(crate) bulks: Bulks,
    pub(crate) in_flight: InFlight,
    /// How long a job may wait for a slot.
    pub(crate) backlog_target: Duration,
    /// What the pages for people are made of.
    pub(crate) lookout: Lookout,
    pub(crate) assets: Assets,
    /// The API in words, for programs.
    pub(crate) description: Arc<str>,
}

impl Api {
    /// `description` is the API in words, for programs.
    pub(crate) fn new(options: ApiOptions, description: Arc<str>) -> Self {
        let backlog_target = options.backlog_target;
        let mirror = Mirror::new(options.inspector.clone(), ROOM);
        let ApiOptions { inspector, producer, store, tokens, requests_per_minute, .. } = options;
        Self {
            rate_limit: requests_per_minute.map(|limit| Arc::new(RateLimit::new(limit))),
            cursors: CursorKey::of(&tokens),
            hub: Hub::new(inspector.clone(), mirror.clone()),
            bulks: Bulks::new(inspector.clone(), mirror.clone(), store.clone()),
            mirror,
            in_flight: InFlight::default(),
            backlog_target,
            lookout: Lookout::new(inspector.clone()),
            assets: Assets::new(),
            description,
            inspector,
            producer,
            store,
            tokens,
        }
    }

    /// The record of a job that the caller may know of.
    pub(crate) async fn record(&self, caller: &Caller, id: &str) -> Result<JobRecord, Problem> {
        let record = self.inspector.record(id).await?;
        let record = record.filter(|record| caller.sees(&record.tenant));
        record.ok_or_else(|| Problem::unknown_job(id))
    }

    pub(crate) fn store(&self) -> Result<&Arc<dyn Store>, Problem> {
        self.store.as_ref().ok_or_else(|| Problem::new(Code::NoStore, "STORAGE_URL is not set"))
    }
}

/// Idempotency keys of requests that wait for Redis in this process.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<String>>>);

/// A key that is on its way until this is dropped.
pub(crate) struct OnItsWay {
    keys: InFlight,
    key: String,
}

impl InFlight {
    /// `None` while another request with this key is on its way.
    pub(crate) fn enter(&self, tenant: &str, key: &str) -> Option<OnItsWay> {
        let key = format!("{tenant}/{key}");
        let is_first = self.keys().insert(key.clone());
        is_first.then(|| OnItsWay { keys: self.clone(), key })
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.keys.keys().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_on_its_way_once_at_a_time_and_for_its_tenant() {
        let keys = InFlight::default();
        let first = keys.enter("acme", "evening9");
        assert!(first.is_some());
        assert!(keys.enter("acme", "evening9").is_none());
        assert!(keys.enter("other", "evening9").is_some());
        drop(first);
        assert!(keys.enter("acme", "evening9").is_some());
    }
}
