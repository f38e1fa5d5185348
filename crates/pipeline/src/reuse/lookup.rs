//! Whether a result can be had without paying for it, and without having it.

use bytes::Bytes;

use super::publish::Shared;
use crate::Run;
use crate::cache_key::CacheKey;

/// Whether the cache has it. A large one is looked at and not read.
pub(crate) async fn is_shared(run: &Run, key: &CacheKey) -> bool {
    let Some(shared) = Shared::of(run, key) else { return false };
    shared.values.has(key).await
}

/// What the cache has of it.
pub(crate) async fn look_up(run: &Run, key: &CacheKey) -> Option<Bytes> {
    let (bytes, _usd) = Shared::of(run, key)?.values.recall(key).await?;
    Some(bytes)
}
