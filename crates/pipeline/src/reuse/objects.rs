//! The places of one job's large values in the store, and errands there that end in time.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use crate::cache_key::{CacheKey, EVERYBODY};
use crate::{NamedBytes, ObjectKey, ObjectStore, ProviderError, Run};

/// Longest wait for one object of the store; the largest, a whole track, is some 20 MB.
const STORE_TIMEOUT: Duration = Duration::from_mins(1);

/// The store, as one job uses it.
pub(super) struct Objects<'run> {
    pub(super) store: &'run dyn ObjectStore,
    /// The store's name in errors.
    pub(super) provider: &'static str,
    pub(super) tenant: &'run str,
    /// The job's own folder; `None` when its name can be none, so that nothing is kept.
    pub(super) folder: Option<ObjectKey>,
}

impl<'run> Objects<'run> {
    pub(super) fn of(run: &'run Run) -> Self {
        let request = &run.request;
        Self {
            store: run.memory.objects.as_ref(),
            provider: run.providers.store.provider(),
            tenant: &request.tenant,
            folder: ObjectKey::work(&request.tenant, &request.job).ok(),
        }
    }

    /// Where the job keeps the value with this digest.
    pub(super) fn own(&self, digest: &str) -> Option<ObjectKey> {
        self.folder.as_ref()?.join(digest).ok()
    }

    /// Where all jobs of the tenant find it, or everybody's.
    pub(super) fn shared(&self, key: &CacheKey, digest: &str) -> Option<ObjectKey> {
        if self.is_everybody_s() {
            return ObjectKey::warmed(key.stage, digest).ok();
        }
        ObjectKey::cache(self.tenant, key.stage, digest).ok()
    }

    /// Whether what is put is for all tenants.
    pub(super) fn is_everybody_s(&self) -> bool {
        self.tenant == EVERYBODY
    }

    pub(super) async fn get(&self, place: &ObjectKey) -> Result<Option<Bytes>, ProviderError> {
        self.in_time(self.store.get(place)).await
    }

    pub(super) async fn is_there(&self, place: &ObjectKey) -> bool {
        self.in_time(self.store.size(place)).await.is_ok_and(|size| size.is_some())
    }

    pub(super) async fn put(&self, place: &ObjectKey, bytes: Bytes) -> Result<bool, ProviderError> {
        self.in_time(self.store.put_if_absent(place, bytes)).await
    }

    pub(super) async fn keep(
        &self,
        place: &ObjectKey,
        named: &NamedBytes,
    ) -> Result<(), ProviderError> {
        self.in_time(self.store.keep(place, named)).await
    }

    /// The same of an object that may be there from long ago: it is as young as if it had not been.
    pub(super) async fn put_anew(
        &self,
        place: &ObjectKey,
        bytes: Bytes,
    ) -> Result<bool, ProviderError> {
        if self.put(place, bytes.clone()).await? {
            return Ok(true);
        }
        self.in_time(self.store.delete_prefix(place)).await?;
        self.put(place, bytes).await
    }

    pub(super) async fn copy(
        &self,
        from: &ObjectKey,
        to: &ObjectKey,
    ) -> Result<bool, ProviderError> {
        self.in_time(self.store.copy(from, to)).await
    }

    async fn in_time<T>(
        &self,
        errand: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        timeout(STORE_TIMEOUT, errand).await.unwrap_or_else(|_| {
            let message = format!("no answer within {STORE_TIMEOUT:?}");
            Err(ProviderError::transient(self.provider, "store-timeout", message))
        })
    }
}
