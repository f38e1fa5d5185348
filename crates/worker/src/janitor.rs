//! What no job needs any more goes in; it is deleted from the store: work folders on the queue's
//! trash, and shared values whose time is over.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pipeline::{ObjectKey, ObjectStore};
use queue::{Endpoint, Trash, WorkFolder};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A round at the start, and then each minute: nobody waits for the room.
const TRASH_ROUND: Duration = Duration::from_mins(1);
/// Between two looks at all shared values: a listing of many is not free.
const CACHE_ROUND: Duration = Duration::from_mins(10);
/// How long a shared value outlives its time: a job may just be reading it.
const GRACE: Duration = Duration::from_hours(1);
/// Folders a look.
const MAX_OBJECTS: usize = 100;
/// The folder of all shared values.
const SHARED: &str = "cache";

/// Cleans the store.
pub(crate) struct Janitor {
    /// Whose trash it is.
    pub(crate) endpoint: Endpoint,
    /// What is cleaned.
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// How long a shared value is good for.
    pub(crate) ttl: Duration,
}

impl Janitor {
    /// Cleans until it is dropped.
    pub(crate) fn start(self) -> JoinSet<()> {
        let this = Arc::new(self);
        let mut rounds = JoinSet::new();
        let janitor = Arc::clone(&this);
        rounds.spawn(async move {
            loop {
                if let Err(error) = janitor.empty_trash().await {
                    tracing::warn!("work folders stay until the next round: {error:#}");
                }
                spread(TRASH_ROUND).await;
            }
        });
        rounds.spawn(async move {
            loop {
                match this.sweep_shared().await {
                    Ok(0) => {}
                    Ok(swept) => tracing::info!(swept, "deleted shared values past their time"),
                    Err(error) => tracing::warn!("shared values stay: {error:#}"),
                }
                spread(CACHE_ROUND).await;
            }
        });
        rounds
    }

    /// Deletes until nothing is due. The entry goes last: a crash in between deletes again.
    async fn empty_trash(&self) -> anyhow::Result<()> {
        let trash = Trash::connect(&self.endpoint).await?;
        loop {
            let due = trash.due(MAX_OBJECTS).await?;
            for folder in &due {
                if trash.is_idle(folder).await? {
                    self.delete(folder).await.with_context(|| format!("{folder:?}"))?;
                }
                trash.forget(folder).await?;
            }
            if due.len() < MAX_OBJECTS {
                return Ok(());
            }
        }
    }

    async fn delete(&self, folder: &WorkFolder) -> anyhow::Result<()> {
        let key = ObjectKey::work(folder.tenant.as_str(), &folder.job)?;
        self.objects.delete_prefix(&key).await?;
        Ok(())
    }

    async fn sweep_shared(&self) -> anyhow::Result<usize> {
        let shared = self.objects.list(&ObjectKey::parse(SHARED)?).await?;
        let mut swept = 0;
        for value in shared.iter().filter(|value| value.age > self.ttl + GRACE) {
            swept += self.objects.delete_prefix(&value.key).await?;
        }
        Ok(swept)
    }
}

/// Workers that were started together do not clean together.
async fn spread(round: Duration) {
    sleep(round.mul_f64(fastrand::f64() + 0.5)).await;
}
