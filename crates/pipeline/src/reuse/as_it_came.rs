//! What a call gave, as it came, goes into the job's own folder while others still look at it; a later
//! attempt looks at it again, and pays only when it is of no use.

use std::pin::{Pin, pin};

use bytes::Bytes;
use futures::future::{Either, select};
use tokio::time::Instant;

use super::checkpoint::Checkpoint;
use crate::attempt::{Attempt, Price};
use crate::cache_key::{CacheKey, CheckpointKind};
use crate::{NamedBytes, StageError};

/// Things kept under one key, at most: tries of all attempts are fewer.
const MOST: usize = 256;

/// The rest of keeping something.
pub(crate) type Keeping<'keeping> = Pin<Box<dyn Future<Output = ()> + Send + 'keeping>>;

/// Makes something of what is kept meanwhile; comes with whatever is left of keeping it. So a slow store
/// holds no slot, and is not taken for a slow provider.
pub(crate) async fn while_keeping<T, E>(
    keeping: Keeping<'_>,
    making: impl Future<Output = Result<T, E>>,
) -> Result<(T, Option<Keeping<'_>>), E> {
    match select(keeping, pin!(making)).await {
        Either::Left(((), making)) => making.await.map(|made| (made, None)),
        Either::Right((made, keeping)) => made.map(|made| (made, Some(keeping))),
    }
}

/// The name of the `number`th thing that was bought under `key`: an earlier one was of no use.
fn numbered(key: &CacheKey, number: usize) -> CacheKey {
    let checkpoint = format!("{}.{number}", key.checkpoint);
    CacheKey { checkpoint, kind: CheckpointKind::Object, ..key.clone() }
}

/// Keeps `bytes`, whose last one came at `arrived`, and books their `price` with them. Where that fails a
/// later attempt would only be dearer.
pub(crate) async fn keep_as_it_came(
    attempt: &Attempt<'_>,
    key: &CacheKey,
    bytes: Bytes,
    (price, arrived): (&Price, Instant),
) {
    let own = Checkpoint::of(attempt.run);
    let is_free =
        |number: &usize| own.checkpoints.recall(&numbered(key, *number).checkpoint).is_none();
    let Some(key) = (0..MOST).find(is_free).map(|number| numbered(key, number)) else { return };
    let named = NamedBytes::of(bytes);
    if own.keep(&key, &named).await {
        attempt.ledger.kept(price);
        if own.pin(&key, &named.bytes, &named.name()).await {
            attempt.run.observer.kept(key.stage, arrived.elapsed());
        }
    }
}

/// The `number`th thing that was kept under `key`, as far as it is still there; nothing behind the last.
pub(crate) async fn recall_as_it_came(
    attempt: &Attempt<'_>,
    key: &CacheKey,
    number: usize,
) -> Result<Option<Option<Bytes>>, StageError> {
    let (own, key) = (Checkpoint::of(attempt.run), numbered(key, number));
    if own.checkpoints.recall(&key.checkpoint).is_none() {
        return Ok(None);
    }
    own.recall(&key).await.map(Some)
}
