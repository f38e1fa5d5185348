//! What jobs share: values in the cache, and large ones in the store, where all find them.

use bytes::Bytes;

use super::warn;
use crate::cache_key::{CacheKey, CheckpointKind};
use crate::cache_value::{CacheValue, MAX_INLINE, digest};
use crate::run::Attempt;
use crate::{ObjectKey, Put, Reuse, Sharing, StageError};

impl Attempt<'_> {
    /// A value of the shared cache and its price; one that is damaged or gone is forgotten.
    pub(super) async fn shared_value(
        &self,
        sharing: &Sharing,
        item: &CacheKey,
    ) -> Option<(Bytes, f64)> {
        let packed = sharing.cache.get(&item.key).await?;
        if let Some(cached) = CacheValue::unpack(&packed)
            && let Some(bytes) = self.open(item, &cached).await
        {
            return Some((bytes, cached.usd));
        }
        sharing.cache.delete(&item.key).await;
        None
    }

    /// A part of a result that has no flight of its own: the job's own checkpoint, or another's.
    /// `price` is what the job has paid, if it is its own.
    pub(crate) async fn recall_part(
        &self,
        item: &CacheKey,
        price: f64,
    ) -> Result<Option<Bytes>, StageError> {
        if let Some(bytes) = self.recall_bytes(item).await? {
            self.recalled(item.stage, 0.0);
            self.paid_before(item.stage, price);
            return Ok(Some(bytes));
        }
        let Some(sharing) = self.sharing(item) else { return Ok(None) };
        let Some((bytes, usd)) = self.shared_value(sharing, item).await else { return Ok(None) };
        self.recalled(item.stage, usd);
        self.keep(item, &bytes).await;
        Ok(Some(bytes))
    }

    /// Keeps a part that was paid for, and shares it: the whole may never come about here.
    pub(crate) async fn keep_part(&self, item: &CacheKey, bytes: &Bytes, usd: f64) {
        self.keep(item, bytes).await;
        if let Some(sharing) = self.sharing(item) {
            self.share(sharing, item, bytes, usd).await;
        }
    }

    /// A cached value's bytes, from the store when they are many.
    pub(super) async fn open(&self, item: &CacheKey, cached: &CacheValue) -> Option<Bytes> {
        if let Some(value) = &cached.value {
            return Some(value.clone());
        }
        let place = self.shared_place(item, &cached.digest)?;
        let found = self.within(self.run.memory.objects.get(&place)).await;
        let found = found.inspect_err(|error| warn(item, "a shared value was not read", error));
        found.ok().flatten().filter(|bytes| digest(bytes) == cached.digest)
    }
    /// Puts a value where other jobs find it. What is paid for is shared even while the worker
    /// leaves; only a lost lease or a cancelled job shares nothing.
    pub(super) async fn share(
        &self,
        sharing: &Sharing,
        item: &CacheKey,
        bytes: &Bytes,
        usd: f64,
    ) -> Put {
        if self.run.gate.check_finish().is_err() {
            return Put::Refused;
        }
        let cached = CacheValue::of(bytes, usd);
        if bytes.len() > MAX_INLINE && !self.lay_out(item, &cached.digest).await {
            return Put::Refused;
        }
        sharing.cache.put_if_absent(&item.key, cached.pack()).await
    }

    /// Copies a large value from the job's own folder to where all find it.
    async fn lay_out(&self, item: &CacheKey, digest: &str) -> bool {
        let (Some(own), Some(shared)) = (self.own_place(digest), self.shared_place(item, digest))
        else {
            return false;
        };
        let copied = self.within(self.run.memory.objects.copy(&own, &shared)).await;
        let copied = copied.inspect_err(|error| warn(item, "a value was not shared", error));
        copied.unwrap_or(false)
    }

    /// What the job may share of this result; the policy table has the last word.
    pub(super) fn sharing(&self, item: &CacheKey) -> Option<&Sharing> {
        let is_shared =
            item.kept == CheckpointKind::Facts || self.row(item.stage).reuse == Reuse::Shared;
        self.run.memory.sharing.as_ref().filter(|_| is_shared)
    }

    pub(super) fn shared_place(&self, item: &CacheKey, digest: &str) -> Option<ObjectKey> {
        ObjectKey::cache(&self.run.request.tenant, item.stage, digest).ok()
    }
}
