//! Work goes in that must come to its end although its caller has gone; it is done in tasks of the
//! store. So what was begun in a bucket is ended there, whatever becomes of an attempt.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The tasks of a store, which owns them: they end with it.
#[derive(Debug, Default)]
pub(super) struct Background(Mutex<JoinSet<()>>);

impl Background {
    /// Does `work` whatever becomes of the caller. Outside of a runtime nobody can do it; then the
    /// next sweep ends what is left.
    pub(super) fn add(&self, work: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &runtime);
    }

    /// Waits until there is nothing left to do; at most `limit`.
    pub(super) async fn settle(&self, limit: Duration) {
        let settling = async {
            loop {
                let mut tasks =
                    std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
                if tasks.is_empty() {
                    return;
                }
                // A task that ends may have added another one.
                while tasks.join_next().await.is_some() {}
            }
        };
        if timeout(limit, settling).await.is_err() {
            tracing::warn!("uploads that were given up stay until the next sweep");
        }
    }
}
