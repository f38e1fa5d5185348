//! A result that was just made goes in: it is kept, shared, pinned, and its flight ends.

use bytes::Bytes;
use tokio::time::Instant;

use super::cache_value::digest_apart;
use super::checkpoint::Checkpoint;
use super::flight::Flight;
use super::objects::Objects;
use super::on_conflict::OnConflict;
use super::shared::SharedValues;
use crate::attempt::Attempt;
use crate::cache_key::CacheKey;
use crate::{FlightResult, JoinAnswer, Put, Reuse, Run, StageError};

/// What the jobs of a tenant share of one result.
pub(super) struct Shared<'run> {
    pub(super) values: SharedValues<'run>,
    pub(super) flight: Flight<'run>,
}

impl<'run> Shared<'run> {
    /// `None` where this result is not shared; the policy table has the last word.
    pub(super) fn of(run: &'run Run, key: &CacheKey) -> Option<Self> {
        let is_shared =
            key.is_of_finished_file() || run.policies.row(key.stage).reuse == Reuse::Shared;
        let sharing = run.memory.sharing.as_ref().filter(|_| is_shared)?;
        let (cache, gate, objects) = (sharing.cache.as_ref(), run.gate.as_ref(), Objects::of(run));
        let flight = Flight { flights: sharing.flights.as_ref() };
        Some(Self { values: SharedValues { cache, gate, objects }, flight })
    }

    /// Store, share, pin, land; where the job keeps its own in any case, store and pin come first, so that
    /// nothing lies between paid and kept. Answers what `adopt` makes of the value of somebody who was
    /// faster; then that is what the job keeps.
    pub(super) async fn publish<T>(
        &self,
        attempt: &Attempt<'_>,
        key: &CacheKey,
        (bytes, arrived): (&Bytes, Option<Instant>),
        on_conflict: OnConflict,
        adopt: impl AsyncFnOnce(Bytes) -> Result<Option<T>, StageError>,
    ) -> Result<Option<T>, StageError> {
        let _busy = attempt.activity.work();
        let (own, digest) = (Checkpoint::of(attempt.run), digest_apart(bytes).await);
        let is_kept = on_conflict == OnConflict::KeepOwn;
        if is_kept {
            keep_named(attempt, key, (bytes, &digest), arrived).await;
        } else {
            own.store(key, bytes, &digest).await;
        }
        let put = self.values.put(key, (bytes, &digest), price_of(attempt, key)).await;
        let theirs = self.adopted(key, &put, adopt).await?;
        match &theirs {
            Some((stored, _)) => keep(attempt, key, stored).await,
            None if is_kept => {}
            None => {
                own.pin(key, bytes, &digest).await;
            }
        }
        let unshared = put == Put::Refused;
        let result = if unshared { FlightResult::Unshared } else { FlightResult::Stored };
        self.flight.land(key, result).await?;
        Ok(theirs.map(|(_, value)| value))
    }

    async fn adopted<T>(
        &self,
        key: &CacheKey,
        put: &Put,
        adopt: impl AsyncFnOnce(Bytes) -> Result<Option<T>, StageError>,
    ) -> Result<Option<(Bytes, T)>, StageError> {
        let Put::Present(theirs) = put else { return Ok(None) };
        let Some((stored, _)) = self.values.open(key, theirs).await else { return Ok(None) };
        let value = adopt(stored.clone()).await?;
        Ok(value.map(|value| (stored, value)))
    }
}

/// Keeps a result for this job's later attempts.
pub(super) async fn keep(attempt: &Attempt<'_>, key: &CacheKey, bytes: &Bytes) {
    keep_since(attempt, key, bytes, None).await;
}

/// The same of a result whose last byte came at `arrived`.
pub(super) async fn keep_since(
    attempt: &Attempt<'_>,
    key: &CacheKey,
    bytes: &Bytes,
    arrived: Option<Instant>,
) {
    let _busy = attempt.activity.work();
    keep_named(attempt, key, (bytes, &digest_apart(bytes).await), arrived).await;
}

async fn keep_named(
    attempt: &Attempt<'_>,
    key: &CacheKey,
    (bytes, digest): (&Bytes, &str),
    arrived: Option<Instant>,
) {
    let own = Checkpoint::of(attempt.run);
    own.store(key, bytes, digest).await;
    if own.pin(key, bytes, digest).await
        && let Some(arrived) = arrived
    {
        attempt.run.observer.kept(key.stage, arrived.elapsed());
    }
}

/// What has been paid, or was spared, for a result: by all attempts for the finished file.
pub(super) fn price_of(attempt: &Attempt<'_>, key: &CacheKey) -> f64 {
    if key.is_of_finished_file() {
        attempt.ledger.price_of_job()
    } else {
        attempt.ledger.price(key.stage)
    }
}

/// Into the flight of a result that is already being made.
pub(crate) async fn join_flight(
    attempt: &Attempt<'_>,
    key: &CacheKey,
) -> Result<JoinAnswer, StageError> {
    let Some(shared) = Shared::of(attempt.run, key) else { return Ok(JoinAnswer::Unshared) };
    attempt.check(key.stage)?;
    shared.flight.join(key).await
}

/// Ends the flight of a result that was handed on while it was made.
pub(crate) async fn end_flight(
    attempt: &Attempt<'_>,
    key: &CacheKey,
    flight: &JoinAnswer,
    made: Result<Bytes, StageError>,
) -> Result<(), StageError> {
    let shared = Shared::of(attempt.run, key).filter(|_| *flight == JoinAnswer::Owned);
    match (made, shared) {
        (Ok(bytes), Some(shared)) => {
            let kept = (&bytes, None);
            let published =
                shared.publish(attempt, key, kept, OnConflict::KeepOwn, async |_| Ok(None::<()>));
            published.await.map(drop)
        }
        (Ok(bytes), None) => {
            keep(attempt, key, &bytes).await;
            Ok(())
        }
        (Err(error), Some(shared)) => Err(shared.flight.fail(key, error).await),
        (Err(error), None) => Err(error),
    }
}
