//! What jobs share: values in the cache, and large ones in the store, where all find them.

use bytes::Bytes;

use super::cache_value::{CacheValue, MAX_INLINE, digest_apart};
use super::objects::Objects;
use crate::cache_key::CacheKey;
use crate::{Gate, ObjectKey, Put, SharedCache};

/// The values that the jobs of a tenant share, as one job finds and adds them.
pub(super) struct SharedValues<'run> {
    pub(super) cache: &'run dyn SharedCache,
    pub(super) gate: &'run dyn Gate,
    pub(super) objects: Objects<'run>,
}

impl SharedValues<'_> {
    /// A shared value and its price in US dollars: the tenant's own, or else what was bought for everybody. Of
    /// its own, one that is damaged or gone is forgotten.
    pub(super) async fn recall(&self, key: &CacheKey) -> Option<(Bytes, f64)> {
        let warmed = key.warmed().filter(|warmed| *warmed != key.shared);
        let names = [Some(&*key.shared), warmed.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        let (at, encoded) = self.cache.get(&names).await?;
        if at > 0 {
            return self.open_warmed(key, &encoded).await;
        }
        if let Some(found) = self.open(key, &encoded).await {
            return Some(found);
        }
        self.forget(key).await;
        let (_, encoded) = self.cache.get(names.get(1..)?).await?;
        self.open_warmed(key, &encoded).await
    }

    /// Whether this very value is there, by its entry and the object that it names.
    pub(super) async fn has(&self, key: &CacheKey) -> bool {
        let Some((_, encoded)) = self.cache.get(&[&key.shared]).await else { return false };
        let Some(entry) = CacheValue::decode(&encoded) else { return false };
        match self.objects.shared(key, &entry.digest) {
            Some(place) if entry.value.is_none() => self.objects.is_there(&place).await,
            _ => entry.value.is_some(),
        }
    }

    /// The bytes behind a cache entry, from the store when they are many, and their price.
    pub(super) async fn open(&self, key: &CacheKey, encoded: &Bytes) -> Option<(Bytes, f64)> {
        self.open_at(key, encoded, |digest| self.objects.shared(key, digest)).await
    }

    /// The same of an entry for everybody.
    async fn open_warmed(&self, key: &CacheKey, encoded: &Bytes) -> Option<(Bytes, f64)> {
        self.open_at(key, encoded, |digest| ObjectKey::warmed(key.stage, digest).ok()).await
    }

    async fn open_at(
        &self,
        key: &CacheKey,
        encoded: &Bytes,
        place: impl FnOnce(&str) -> Option<ObjectKey>,
    ) -> Option<(Bytes, f64)> {
        let CacheValue { usd, digest: expected, value } = CacheValue::decode(encoded)?;
        if let Some(value) = value {
            return Some((value, usd));
        }
        let found = self.objects.get(&place(&expected)?).await;
        let found = found.unwrap_or_else(|error| {
            let (stage, code) = (key.stage, error.code);
            tracing::warn!(%stage, code, "a shared value was not read: {error}");
            None
        });
        let bytes = found?;
        (digest_apart(&bytes).await == expected).then_some((bytes, usd))
    }

    /// Puts a value with this digest where other jobs find it. What is paid for is shared even while the worker
    /// leaves; only a lost lease or a cancelled job shares nothing.
    pub(super) async fn put(
        &self,
        key: &CacheKey,
        (bytes, digest): (&Bytes, &str),
        usd: f64,
    ) -> Put {
        if self.objects.is_everybody_s() {
            // It has no folder of its own to copy from.
            return self.put_new(key, bytes, usd).await;
        }
        if self.gate.check_finish().is_err() {
            return Put::Refused;
        }
        let value = CacheValue::of(bytes, digest.to_owned(), usd);
        if bytes.len() > MAX_INLINE && !self.copy_out(key, &value.digest).await {
            return Put::Refused;
        }
        self.cache.put_if_absent(&key.shared, value.encode()).await
    }

    /// The same of a value that the job's own folder does not hold.
    pub(super) async fn put_new(&self, key: &CacheKey, bytes: &Bytes, usd: f64) -> Put {
        if self.gate.check_finish().is_err() {
            return Put::Refused;
        }
        let value = CacheValue::of(bytes, digest_apart(bytes).await, usd);
        if bytes.len() > MAX_INLINE && !self.lay_out(key, &value.digest, bytes).await {
            return Put::Refused;
        }
        self.cache.put_if_absent(&key.shared, value.encode()).await
    }

    /// Lays a large value where all find it.
    async fn lay_out(&self, key: &CacheKey, digest: &str, bytes: &Bytes) -> bool {
        let Some(place) = self.objects.shared(key, digest) else { return false };
        let put = if self.objects.is_everybody_s() {
            self.objects.put_anew(&place, bytes.clone()).await
        } else {
            self.objects.put(&place, bytes.clone()).await
        };
        if let Err(error) = &put {
            let (stage, code) = (key.stage, error.code);
            tracing::warn!(%stage, code, "a value was not shared: {error}");
        }
        put.is_ok()
    }

    pub(super) async fn forget(&self, key: &CacheKey) {
        self.cache.delete(&key.shared).await;
    }

    /// Copies a large value from the job's own folder to where all find it.
    async fn copy_out(&self, key: &CacheKey, digest: &str) -> bool {
        let (own, shared) = (self.objects.own(digest), self.objects.shared(key, digest));
        let (Some(own), Some(shared)) = (own, shared) else { return false };
        self.objects.copy(&own, &shared).await.unwrap_or_else(|error| {
            let (stage, code) = (key.stage, error.code);
            tracing::warn!(%stage, code, "a value was not shared: {error}");
            false
        })
    }
}
