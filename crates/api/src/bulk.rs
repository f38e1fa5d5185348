//! Wishes for many jobs come in through Redis; each of their jobs is cancelled, replayed or purged.
//!
//! Every server looks for those that go on, and works on one at a time; when one is killed, another
//! takes over within seconds. What is known of them lies in the queue, and nothing here.

mod plan;
mod price;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use providers::store::Store;
use queue::{
    BulkAction, BulkAnswer, BulkHolder, BulkRecord, BulkState, Inspector, JobFiles, QueueError,
};
use stillcast_enqueue::{JobId, State};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use self::plan::Plan;
pub(crate) use self::price::{Dearest, Price};
use crate::filter::Filter;
use crate::mirror::Mirror;
use crate::store_files::StoredFiles;

/// How often a server looks for what others have begun, or have left.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long one is ours after each call: then another server may go on.
const HOLD: Duration = Duration::from_secs(10);
/// Jobs of one call: few enough that the slowest of its scripts stays below 10 ms (`tests/bench/search`).
const A_STEP: usize = 25;
/// Jobs whose files are removed at once.
const AT_ONCE: usize = 8;
/// Jobs that one call adds to a list.
const A_GATHER: usize = 100;

/// Works on bulk actions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Bulks(Arc<Shared>);

struct Shared {
    inspector: Inspector,
    mirror: Mirror,
    store: Option<Arc<dyn Store>>,
    holder: BulkHolder,
    /// One has begun here.
    begun: Notify,
}

impl Bulks {
    pub(crate) fn new(inspector: Inspector, mirror: Mirror, store: Option<Arc<dyn Store>>) -> Self {
        let holder = BulkHolder { server: uuid::Uuid::now_v7().to_string(), hold: HOLD };
        Self(Arc::new(Shared { inspector, mirror, store, holder, begun: Notify::new() }))
    }

    /// One has begun: it is looked at now.
    pub(crate) fn stir(&self) {
        self.0.begun.notify_one();
    }

    /// Works until it is dropped.
    pub(crate) async fn run(self) {
        let mut is_told = false;
        loop {
            match self.work().await {
                Ok(()) => is_told = false,
                Err(error) if !std::mem::replace(&mut is_told, true) => {
                    tracing::warn!("bulk actions wait: the queue: {error}");
                }
                Err(_) => {}
            }
            // Whoever was not stirred looks all the same.
            let _ = timeout(LOOK_EVERY, self.0.begun.notified()).await;
        }
    }

    async fn work(&self) -> Result<(), QueueError> {
        for id in self.0.inspector.open_bulks().await? {
            let Some(bulk) = self.0.inspector.bulk(&id).await? else { continue };
            if bulk.state == BulkState::Gathering && !self.gather(&bulk).await? {
                continue;
            }
            self.go_on(&bulk).await?;
        }
        Ok(())
    }

    /// Puts every job that is meant on the list; false when that is another's, or cannot be yet.
    async fn gather(&self, bulk: &BulkRecord) -> Result<bool, QueueError> {
        let Some(jobs) = self.jobs_of(bulk).await else { return Ok(false) };
        let Shared { inspector, holder, .. } = &*self.0;
        for jobs in jobs.chunks(A_GATHER) {
            let answer = inspector.gather_bulk(&bulk.id, holder, jobs).await?;
            if answer != BulkAnswer::Is(BulkState::Gathering) {
                return Ok(answer == BulkAnswer::Is(BulkState::Running));
            }
        }
        let answer = inspector.run_bulk(&bulk.id, holder).await?;
        Ok(answer == BulkAnswer::Is(BulkState::Running))
    }

    /// The jobs that are meant, the oldest first; `None` while the mirror is being filled.
    async fn jobs_of(&self, bulk: &BulkRecord) -> Option<Vec<(i64, String)>> {
        let filter = meant(bulk.action, Filter::parse(&bulk.filter).ok()?);
        let planned_ms = bulk.planned_at?.timestamp_millis();
        let mut jobs = Vec::new();
        let visit = self.0.mirror.visit_at(&filter, planned_ms, |_, facts| {
            let is_theirs = bulk.tenant.as_deref().is_none_or(|tenant| tenant == &*facts.tenant);
            if is_theirs && facts.enqueued_ms <= planned_ms {
                jobs.push((facts.enqueued_ms, facts.id.to_string()));
            }
        });
        visit.await.ok()?;
        jobs.reverse();
        Some(jobs)
    }

    /// One step after the other, until it is over or another's. Between two, the queue is left alone
    /// for as long as a step takes.
    async fn go_on(&self, bulk: &BulkRecord) -> Result<(), QueueError> {
        loop {
            let began = Instant::now();
            let answer = match bulk.action {
                BulkAction::Purge => self.purge(&bulk.id).await?,
                _ => self.0.inspector.step_bulk(&bulk.id, &self.0.holder, A_STEP).await?,
            };
            if answer != BulkAnswer::Is(BulkState::Running) {
                return Ok(());
            }
            sleep(began.elapsed()).await;
        }
    }

    /// Removes the files of the next jobs, then their records.
    async fn purge(&self, id: &str) -> Result<BulkAnswer, QueueError> {
        let Shared { inspector, holder, .. } = &*self.0;
        // Nobody else begins with the same files.
        let answer = inspector.purge_bulk(id, holder, &[]).await?;
        if answer != BulkAnswer::Is(BulkState::Running) {
            return Ok(answer);
        }
        let ids = inspector.next_of_bulk(id, A_STEP).await?;
        let records = inspector.outlines(&ids).await?;
        let jobs = ids.into_iter().zip(records);
        let removed = jobs.map(async |(id, record)| {
            let ended = record.filter(|record| record.state.is_terminal());
            let is_gone = match ended {
                Some(record) => self.remove_files(&record.tenant, &id).await,
                // The script refuses it by its own word.
                None => true,
            };
            (id, is_gone)
        });
        let removed: Vec<(String, bool)> =
            futures::stream::iter(removed).buffered(AT_ONCE).collect().await;
        inspector.purge_bulk(id, holder, &removed).await
    }

    async fn remove_files(&self, tenant: &str, id: &str) -> bool {
        let (Some(store), Ok(job)) = (&self.0.store, JobId::parse(id)) else { return false };
        let removed = StoredFiles(Arc::clone(store)).remove(tenant, &job).await;
        if let Err(error) = &removed {
            tracing::warn!(job = id, "its files stay: the store: {error}");
        }
        removed.is_ok()
    }
}

/// What `filter` means, as far as it can have what is wished.
pub(crate) fn meant(action: BulkAction, filter: Filter) -> Filter {
    let can = |state: &State| match action {
        BulkAction::Cancel => !state.is_terminal(),
        BulkAction::Replay => *state == State::Dead,
        BulkAction::Purge => state.is_terminal(),
    };
    filter.in_states(State::ALL.into_iter().filter(can))
}
