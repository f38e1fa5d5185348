//! The job's own checkpoint: what a finished call gave goes in, and comes out in later attempts.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use stillcast_enqueue::StageName;
use tokio::time::timeout;

use super::{interrupted, warn};
use crate::cache_key::{CacheKey, CheckpointKind};
use crate::cache_value::digest;
use crate::run::Attempt;
use crate::{ObjectKey, ProviderError, StageError};

/// Longest wait for one object of the store; the largest, a whole track, is some 20 MB.
const STORE_TIMEOUT: Duration = Duration::from_mins(1);

impl Attempt<'_> {
    /// Keeps a result for this job's later attempts.
    pub(crate) async fn keep(&self, item: &CacheKey, bytes: &Bytes) {
        let _busy = self.activity.work();
        let digest = digest(bytes);
        self.store(item, bytes, &digest).await;
        self.pin(item, bytes, &digest).await;
    }

    /// The bytes of the job's own checkpoint. A store that cannot be read is a failure: paying again
    /// would be the dearer answer.
    pub(crate) async fn recall_bytes(&self, item: &CacheKey) -> Result<Option<Bytes>, StageError> {
        let checkpoints = &self.run.memory.checkpoints;
        let Some(pinned) = checkpoints.recall(&item.name) else { return Ok(None) };
        let found = match item.kept {
            CheckpointKind::Facts => return Ok(Some(pinned.into())),
            CheckpointKind::Words => {
                let words = checkpoints.partial_transcript().await;
                words.map_err(|why| interrupted(item.stage, why))?.map(Bytes::from)
            }
            CheckpointKind::Object => {
                let Some(place) = self.own_place(&pinned) else { return Ok(None) };
                let found = self.within(self.run.memory.objects.get(&place)).await;
                found.map_err(|error| error.at(item.stage))?
            }
        };
        let found = found.filter(|bytes| digest(bytes) == pinned);
        if found.is_none() {
            tracing::warn!(stage = %item.stage, "the checkpoint {} is gone, and made anew", item.name);
        }
        Ok(found)
    }

    /// The words that earlier attempts have said.
    pub(crate) async fn words_said(&self, stage: StageName) -> Result<Option<String>, StageError> {
        let words = self.run.memory.checkpoints.partial_transcript().await;
        words.map_err(|why| interrupted(stage, why))
    }

    /// Lays a value into the job's own folder. Without it a later attempt would only be dearer.
    pub(super) async fn store(&self, item: &CacheKey, bytes: &Bytes, digest: &str) {
        let (CheckpointKind::Object, Some(place)) = (item.kept, self.own_place(digest)) else {
            return;
        };
        let put = self.within(self.run.memory.objects.put_if_absent(&place, bytes.clone())).await;
        if let Err(error) = put {
            warn(item, "a finished call is not kept", &error);
        }
    }

    pub(super) async fn pin(&self, item: &CacheKey, bytes: &Bytes, digest: &str) {
        let checkpoints = &self.run.memory.checkpoints;
        let pinned = match item.kept {
            CheckpointKind::Object => Cow::Borrowed(digest),
            CheckpointKind::Facts => String::from_utf8_lossy(bytes),
            CheckpointKind::Words => {
                checkpoints.save_partial_transcript(&String::from_utf8_lossy(bytes));
                Cow::Borrowed(digest)
            }
        };
        if let Err(why) = checkpoints.remember(&item.name, &pinned).await {
            tracing::debug!(stage = %item.stage, "{} was not pinned: {why}", item.name);
        }
    }

    pub(super) fn own_place(&self, digest: &str) -> Option<ObjectKey> {
        let request = &self.run.request;
        ObjectKey::work(&request.tenant, &request.job).and_then(|work| work.join(digest)).ok()
    }

    pub(super) async fn within<T>(
        &self,
        errand: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        let Ok(answer) = timeout(STORE_TIMEOUT, errand).await else {
            let store = self.run.providers.store.provider();
            let message = format!("no answer within {STORE_TIMEOUT:?}");
            return Err(ProviderError::transient(store, "store-timeout", message));
        };
        answer
    }
}
