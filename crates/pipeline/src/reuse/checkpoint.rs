//! The job's own checkpoint: what a finished call gave goes in, and comes out in later attempts.

use std::borrow::Cow;

use bytes::Bytes;
use stillcast_enqueue::StageName;

use super::cache_value::digest_apart;
use super::objects::Objects;
use crate::cache_key::{CacheKey, CheckpointKind};
use crate::{Checkpoints, NamedBytes, ObjectKey, ProviderError, Run, StageError};

/// What one job keeps for its later attempts.
pub(crate) struct Checkpoint<'run> {
    pub(super) checkpoints: &'run dyn Checkpoints,
    pub(super) objects: Objects<'run>,
}

impl<'run> Checkpoint<'run> {
    pub(crate) fn of(run: &'run Run) -> Self {
        Self { checkpoints: run.memory.checkpoints.as_ref(), objects: Objects::of(run) }
    }

    /// The bytes that were kept. A store that cannot be read is a failure: paying again would be the
    /// dearer answer.
    pub(super) async fn recall(&self, key: &CacheKey) -> Result<Option<Bytes>, StageError> {
        let Some(pinned) = self.checkpoints.recall(&key.checkpoint) else { return Ok(None) };
        let found = match key.kind {
            CheckpointKind::FinishedFile => return Ok(Some(pinned.into())),
            CheckpointKind::Transcript => {
                self.partial_transcript(key.stage).await?.map(Bytes::from)
            }
            CheckpointKind::Object => {
                let Some(place) = self.objects.own(&pinned) else { return Ok(None) };
                self.objects.get(&place).await.map_err(|error| error.at(key.stage))?
            }
        };
        if let Some(bytes) = found
            && digest_apart(&bytes).await == pinned
        {
            return Ok(Some(bytes));
        }
        tracing::warn!(stage = %key.stage, "checkpoint {} is gone; made anew", key.checkpoint);
        Ok(None)
    }

    /// The words that earlier attempts have said.
    pub(crate) async fn partial_transcript(
        &self,
        stage: StageName,
    ) -> Result<Option<String>, StageError> {
        let words = self.checkpoints.partial_transcript().await;
        words.map_err(|why| StageError::interrupted(stage, why))
    }

    /// Lays a value into the job's own folder; whether it lies there.
    pub(super) async fn store(&self, key: &CacheKey, bytes: &Bytes, digest: &str) -> bool {
        let Some(place) = self.place(key, digest) else { return false };
        let put = self.objects.put(&place, bytes.clone()).await;
        is_kept(key, put.err().as_ref())
    }

    /// The same with one put and no look behind it: what lies there is compared when it is recalled.
    pub(super) async fn keep(&self, key: &CacheKey, named: &NamedBytes) -> bool {
        let Some(place) = self.place(key, &named.name()) else { return false };
        is_kept(key, self.objects.keep(&place, named).await.err().as_ref())
    }

    /// Keeps what another job has paid for, without a call for the digest alone.
    pub(super) async fn keep_for_later(&self, key: &CacheKey, bytes: &Bytes) {
        let digest = digest_apart(bytes).await;
        if self.store(key, bytes, &digest).await {
            self.checkpoints.remember_later(&key.checkpoint, &digest);
        }
    }

    fn place(&self, key: &CacheKey, digest: &str) -> Option<ObjectKey> {
        let is_object = key.kind == CheckpointKind::Object;
        is_object.then(|| self.objects.own(digest)).flatten()
    }

    /// From here on the job uses this value and no other; whether that is written.
    pub(super) async fn pin(&self, key: &CacheKey, bytes: &Bytes, digest: &str) -> bool {
        let pinned = match key.kind {
            CheckpointKind::Object => Cow::Borrowed(digest),
            CheckpointKind::FinishedFile => String::from_utf8_lossy(bytes),
            CheckpointKind::Transcript => {
                self.checkpoints.save_partial_transcript(&String::from_utf8_lossy(bytes));
                Cow::Borrowed(digest)
            }
        };
        let remembered = self.checkpoints.remember(&key.checkpoint, &pinned).await;
        if let Err(why) = &remembered {
            tracing::debug!(stage = %key.stage, "{} was not pinned: {why}", key.checkpoint);
        }
        remembered.is_ok()
    }
}

/// What is not kept makes a later attempt dearer, and fails nothing.
fn is_kept(key: &CacheKey, failure: Option<&ProviderError>) -> bool {
    if let Some(error) = failure {
        let (stage, code) = (key.stage, error.code);
        tracing::warn!(%stage, code, "a finished call is not kept: {error}");
    }
    failure.is_none()
}
