//! What no job needs any more goes in; it is deleted from the store: work folders on the queue's
//! trash, and shared values whose time is over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pipeline::{ObjectKey, ObjectStore};
use queue::{Endpoint, Trash, TrashEntry, WorkFolder};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// A round at the start, and then each minute: nobody waits for the room.
const TRASH_ROUND: Duration = Duration::from_mins(1);
/// Between two looks at all shared values: a listing of many is not free.
const CACHE_ROUND: Duration = Duration::from_mins(10);
/// How long a shared value outlives its time: a job may just be reading it.
const GRACE: Duration = Duration::from_hours(1);
/// Folders a look.
const MAX_OBJECTS: usize = 100;
/// How long the deletion of one folder may take: one that hangs must not hold up all others.
const DELETE_TIMEOUT: Duration = Duration::from_mins(5);
/// Between two tries of a folder that cannot be deleted: a round, doubled with each try, at most an
/// hour. What names no folder of ours is looked at once an hour.
const MAX_BACK_OFF: Duration = Duration::from_hours(1);
/// Folders whose tries are remembered; the tries of more than so many begin anew.
const MAX_TRIES: usize = 10_000;
/// The folders of shared values: of tenants, and of all of them.
const SHARED: &str = "cache";
const WARM: &str = "warm";

/// Cleans the store.
pub(crate) struct Janitor {
    /// Whose trash it is.
    pub(crate) endpoint: Endpoint,
    /// What is cleaned.
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// How long a shared value is good for.
    pub(crate) ttl: Duration,
    /// How long one is that all tenants share.
    pub(crate) warm_ttl: Duration,
}

impl Janitor {
    /// Cleans until it is dropped.
    pub(crate) fn start(self) -> JoinSet<()> {
        let this = Arc::new(self);
        let mut rounds = JoinSet::new();
        let janitor = Arc::clone(&this);
        rounds.spawn(async move {
            let mut stuck = Stuck::default();
            loop {
                if let Err(error) = janitor.empty_trash(&mut stuck).await {
                    tracing::warn!("work folders stay until the next round: {error:#}");
                }
                stuck.say();
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

    /// Deletes until nothing is due. What cannot be deleted is put off, and keeps nothing else.
    async fn empty_trash(&self, stuck: &mut Stuck) -> anyhow::Result<()> {
        let trash = Trash::connect(&self.endpoint).await?;
        loop {
            let due = trash.due(MAX_OBJECTS).await?;
            for entry in &due {
                self.take_out(&trash, entry, stuck).await?;
            }
            if due.len() < MAX_OBJECTS {
                return Ok(());
            }
        }
    }

    /// The entry goes last: a crash in between deletes again. Fails when Redis does.
    async fn take_out(
        &self,
        trash: &Trash,
        entry: &TrashEntry,
        stuck: &mut Stuck,
    ) -> anyhow::Result<()> {
        let Some(folder) = &entry.folder else {
            stuck.foreign += 1;
            return Ok(trash.put_off(entry, MAX_BACK_OFF).await?);
        };
        match self.delete_idle(trash, folder).await {
            Ok(()) => {
                stuck.tries.remove(folder);
                trash.forget(entry).await?;
            }
            Err(error) => trash.put_off(entry, stuck.failed(folder, &error)).await?,
        }
        Ok(())
    }

    async fn delete_idle(&self, trash: &Trash, folder: &WorkFolder) -> anyhow::Result<()> {
        if !trash.is_idle(folder).await? {
            return Ok(());
        }
        let key = ObjectKey::work(folder.tenant.as_str(), &folder.job)?;
        let deleting = timeout(DELETE_TIMEOUT, self.objects.delete_prefix(&key));
        deleting.await.with_context(|| format!("not within {DELETE_TIMEOUT:?}"))??;
        Ok(())
    }

    async fn sweep_shared(&self) -> anyhow::Result<usize> {
        let tenants = self.sweep_folder(SHARED, self.ttl).await;
        let everybody_s = self.sweep_folder(WARM, self.warm_ttl).await;
        Ok(tenants? + everybody_s?)
    }

    /// One value that cannot be deleted keeps no other one; the first failure is the round's.
    async fn sweep_folder(&self, folder: &str, ttl: Duration) -> anyhow::Result<usize> {
        let shared = self.objects.list(&ObjectKey::parse(folder)?).await?;
        let (mut swept, mut failure) = (0, None);
        for value in shared.iter().filter(|value| value.age > ttl + GRACE) {
            match self.objects.delete_prefix(&value.key).await {
                Ok(deleted) => swept += deleted,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(swept), |error| Err(error.into()))
    }
}

/// What a round had to leave, and how often each folder was tried.
#[derive(Default)]
struct Stuck {
    tries: HashMap<WorkFolder, u32>,
    /// Folders that this round could not delete, and why not the first of them.
    failed: usize,
    first: Option<String>,
    /// Entries of this round that name no folder of ours.
    foreign: usize,
}

impl Stuck {
    /// How long the folder is left alone now.
    fn failed(&mut self, folder: &WorkFolder, error: &anyhow::Error) -> Duration {
        self.failed += 1;
        self.first.get_or_insert_with(|| format!("{folder:?}: {error:#}"));
        if self.tries.len() >= MAX_TRIES {
            self.tries.clear();
        }
        let tries = self.tries.entry(folder.clone()).or_default();
        *tries += 1;
        back_off(*tries)
    }

    /// One line a round for each kind, however many there are.
    fn say(&mut self) {
        if let Some(first) = self.first.take() {
            let failed = std::mem::take(&mut self.failed);
            tracing::warn!(failed, "work folders cannot be deleted and are tried later: {first}");
        }
        let foreign = std::mem::take(&mut self.foreign);
        if foreign > 0 {
            tracing::warn!(foreign, "entries of the queue's trash name no work folder and stay");
        }
    }
}

/// How long a folder is left alone after so many tries.
fn back_off(tries: u32) -> Duration {
    TRASH_ROUND.saturating_mul(2_u32.saturating_pow(tries)).min(MAX_BACK_OFF)
}

/// Workers that were started together do not clean together.
async fn spread(round: Duration) {
    sleep(round.mul_f64(fastrand::f64() + 0.5)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_left_alone_for_longer_each_time_and_an_hour_at_most() {
        let minutes = [1, 2, 3, 5, 6, 1_000].map(|tries| back_off(tries).as_secs() / 60);
        assert_eq!(minutes, [2, 4, 8, 32, 60, 60]);
    }
}
