//! Around every reusable result: own checkpoint, shared cache, flight, and only then the price.
//!
//! The first writer of a shared value wins, and who comes second takes theirs. Only what was handed
//! on while it was made is used as made: others may already be speaking it. Either way the job pins
//! the digest that it used, and its later attempts use no other.

mod as_it_came;
mod cache_value;
mod checkpoint;
mod flight;
mod lookup;
mod objects;
mod on_conflict;
mod parts;
mod publish;
mod shared;
#[cfg(test)]
mod tests;
mod waiting;

use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use as_it_came::{Keeping, keep_as_it_came, recall_as_it_came, while_keeping};
#[cfg(test)]
pub(crate) use cache_value::CacheValue;
pub(crate) use cache_value::digest;
pub(crate) use checkpoint::Checkpoint;
pub(crate) use lookup::{is_shared, look_up};
pub(crate) use on_conflict::OnConflict;
pub(crate) use parts::{recall_part, share_part};
pub(crate) use publish::{end_flight, join_flight};
pub(crate) use waiting::WhileWaiting;

use crate::attempt::Attempt;
use crate::cache_key::CacheKey;
use crate::{FlightResult, JoinAnswer, StageError};
use publish::{Shared, keep, keep_since, price_of};
use waiting::wait;

/// A result that may be had without paying for it.
pub(crate) trait Reusable {
    /// What the stage wants.
    type Value;
    /// Which value counts when somebody was faster.
    const ON_CONFLICT: OnConflict;
    /// What the job's other branches do meanwhile when another job makes it.
    const WHILE_WAITING: WhileWaiting;

    fn key(&self) -> &CacheKey;

    /// When the last byte of what was made had come, where nothing of it was kept before it was whole.
    fn arrived(&self) -> Option<Instant> {
        None
    }

    /// Takes a value that was made before; `None` when it is of no use any more.
    async fn accept(&self, bytes: Bytes) -> Result<Option<Self::Value>, StageError>;

    /// Makes it, and packs it for others.
    async fn make(&self) -> Result<(Self::Value, Bytes), StageError>;
}

/// What a look at the shared cache and the flight has shown.
enum Look<T> {
    Found(T),
    Owned,
    Waiting,
    Unshared,
}

/// The result, from whoever has it; paid for only when nobody has, and nobody is paying.
pub(crate) async fn recall_or_make<R: Reusable>(
    attempt: &Attempt<'_>,
    wanted: &R,
) -> Result<R::Value, StageError> {
    if let Some(value) = recall(attempt, wanted).await? {
        return Ok(value);
    }
    match Shared::of(attempt.run, wanted.key()) {
        Some(shared) => share(attempt, &shared, wanted).await,
        None => make_alone(attempt, wanted).await,
    }
}

/// The job's own checkpoint.
async fn recall<R: Reusable>(
    attempt: &Attempt<'_>,
    wanted: &R,
) -> Result<Option<R::Value>, StageError> {
    let key = wanted.key();
    let Some(bytes) = Checkpoint::of(attempt.run).recall(key).await? else { return Ok(None) };
    let value = wanted.accept(bytes).await?;
    if value.is_some() {
        attempt.recalled(key.stage, 0.0);
    }
    Ok(value)
}

async fn share<R: Reusable>(
    attempt: &Attempt<'_>,
    shared: &Shared<'_>,
    wanted: &R,
) -> Result<R::Value, StageError> {
    let key = wanted.key();
    let mut waiting = None;
    loop {
        match look(attempt, shared, wanted).await? {
            Look::Found(value) => return Ok(value),
            Look::Owned => return make_and_share(attempt, shared, wanted).await,
            Look::Unshared => return make_alone(attempt, wanted).await,
            Look::Waiting => {
                waiting.get_or_insert_with(|| attempt.activity.wait_for(&key.shared));
                wait(attempt, key.stage, R::WHILE_WAITING).await?;
            }
        }
    }
}

/// Recall, join, and when the flight is ours recall again: its last owner may have landed in
/// between.
async fn look<R: Reusable>(
    attempt: &Attempt<'_>,
    shared: &Shared<'_>,
    wanted: &R,
) -> Result<Look<R::Value>, StageError> {
    let _looking = attempt.activity.look();
    let key = wanted.key();
    if let Some(value) = recall_shared(attempt, shared, wanted).await? {
        return Ok(Look::Found(value));
    }
    attempt.check(key.stage)?;
    match shared.flight.join(key).await? {
        JoinAnswer::Waiting => return Ok(Look::Waiting),
        JoinAnswer::Unshared => return Ok(Look::Unshared),
        JoinAnswer::Permanent(report) => return Err(flight::failed_elsewhere(key, report)),
        JoinAnswer::Owned => {}
    }
    let Some(value) = recall_shared(attempt, shared, wanted).await? else {
        return Ok(Look::Owned);
    };
    shared.flight.land(key, FlightResult::Stored).await?;
    Ok(Look::Found(value))
}

async fn recall_shared<R: Reusable>(
    attempt: &Attempt<'_>,
    shared: &Shared<'_>,
    wanted: &R,
) -> Result<Option<R::Value>, StageError> {
    let key = wanted.key();
    let Some((bytes, usd)) = shared.values.recall(key).await else { return Ok(None) };
    let Some(value) = wanted.accept(bytes.clone()).await? else {
        shared.values.forget(key).await;
        return Ok(None);
    };
    // What the job has paid or was spared for parts of it, it is not spared once more.
    attempt.recalled(key.stage, (usd - price_of(attempt, key)).max(0.0));
    keep(attempt, key, &bytes).await;
    Ok(Some(value))
}

async fn make_alone<R: Reusable>(
    attempt: &Attempt<'_>,
    wanted: &R,
) -> Result<R::Value, StageError> {
    let (value, bytes) = wanted.make().await?;
    keep_since(attempt, wanted.key(), &bytes, wanted.arrived()).await;
    Ok(value)
}

async fn make_and_share<R: Reusable>(
    attempt: &Attempt<'_>,
    shared: &Shared<'_>,
    wanted: &R,
) -> Result<R::Value, StageError> {
    let key = wanted.key();
    let (own, bytes) = match wanted.make().await {
        Ok(made) => made,
        Err(error) => return Err(shared.flight.fail(key, error).await),
    };
    let made = (&bytes, wanted.arrived());
    let on_conflict = R::ON_CONFLICT;
    let theirs =
        shared.publish(attempt, key, made, on_conflict, async |stored| match on_conflict {
            OnConflict::TakeStored => wanted.accept(stored).await,
            OnConflict::KeepOwn => Ok(None),
        });
    Ok(theirs.await?.unwrap_or(own))
}
