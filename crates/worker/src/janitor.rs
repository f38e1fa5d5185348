//! Work folders on the queue's trash go in; they are deleted from the store, then forgotten.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use queue::{Endpoint, Trash, WorkFolder};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A round at the start, and then each minute: nobody waits for the room.
const ROUND: Duration = Duration::from_mins(1);
/// Folders a look.
const MOST: usize = 100;

/// Where the folders are.
#[async_trait]
pub(crate) trait WorkFolders: Send + Sync + 'static {
    /// Deletes one with all that is in it; that it is not there is fine.
    async fn delete(&self, folder: &WorkFolder) -> io::Result<()>;
}

/// Sweeps until it is dropped.
pub(crate) fn start(endpoint: Endpoint, folders: Arc<dyn WorkFolders>) -> JoinSet<()> {
    let mut janitor = JoinSet::new();
    janitor.spawn(async move {
        loop {
            if let Err(error) = round(&endpoint, folders.as_ref()).await {
                tracing::warn!("work folders stay until the next round: {error:#}");
            }
            // Workers that were started together do not sweep together.
            sleep(ROUND.mul_f64(fastrand::f64() + 0.5)).await;
        }
    });
    janitor
}

/// Deletes until nothing is due. The entry goes last: a crash in between deletes again.
async fn round(endpoint: &Endpoint, folders: &dyn WorkFolders) -> anyhow::Result<()> {
    let trash = Trash::connect(endpoint).await?;
    loop {
        let due = trash.due(MOST).await?;
        for folder in &due {
            if trash.is_idle(folder).await? {
                folders.delete(folder).await.with_context(|| format!("{folder:?}"))?;
            }
            trash.forget(folder).await?;
        }
        if due.len() < MOST {
            return Ok(());
        }
    }
}
