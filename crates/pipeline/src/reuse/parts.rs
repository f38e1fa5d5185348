//! Parts of a result that have no flight of their own: passages of a track.

use bytes::Bytes;

use super::checkpoint::Checkpoint;
use super::publish::Shared;
use crate::StageError;
use crate::attempt::Attempt;
use crate::cache_key::CacheKey;

/// From the job's own checkpoint, or another's. `price` is what the job has paid, if it is its own.
pub(crate) async fn recall_part(
    attempt: &Attempt<'_>,
    key: &CacheKey,
    price: f64,
) -> Result<Option<Bytes>, StageError> {
    if let Some(bytes) = Checkpoint::of(attempt.run).recall(key).await? {
        attempt.recalled(key.stage, 0.0);
        attempt.ledger.paid_before(key.stage, price);
        return Ok(Some(bytes));
    }
    let Some(shared) = Shared::of(attempt.run, key) else { return Ok(None) };
    let Some((bytes, usd)) = shared.values.recall(key).await else { return Ok(None) };
    attempt.recalled(key.stage, usd);
    let _busy = attempt.activity.work();
    Checkpoint::of(attempt.run).keep_for_later(key, &bytes).await;
    Ok(Some(bytes))
}

/// Shares a part that was paid for, and is kept as it came: the whole may never come about here.
pub(crate) async fn share_part(attempt: &Attempt<'_>, key: &CacheKey, bytes: &Bytes, usd: f64) {
    let _busy = attempt.activity.work();
    if let Some(shared) = Shared::of(attempt.run, key) {
        shared.values.put_new(key, bytes, usd).await;
    }
}
