//! Who pays: joins a result's flight, waits in it, and ends it for all who wait.

use std::time::Duration;

use bytes::Bytes;
use stillcast_enqueue::{ErrorReport, StageName};
use tokio::time::sleep;

use super::{OtherJob, interrupted};
use crate::cache_key::CacheKey;
use crate::cache_value::digest;
use crate::run::Attempt;
use crate::{FailureClass, FlightResult, JoinAnswer, Put, StageError};

/// A branch that waits for another job looks again after so long, spread so that a herd does not.
const POLL_INTERVAL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));
/// The code of an attempt that only waits for other jobs.
const WAITS: &str = "waits-for-flight";
/// The code of an attempt whose input has failed in another job for good.
const ELSEWHERE: &str = "failed-elsewhere";

impl Attempt<'_> {
    /// Ends the flight of a result that was handed on while it was made.
    pub(crate) async fn end_flight(
        &self,
        item: &CacheKey,
        flight: &JoinAnswer,
        made: Result<Bytes, StageError>,
    ) -> Result<(), StageError> {
        let sharing = self.sharing(item).filter(|_| *flight == JoinAnswer::Owned);
        let (bytes, sharing) = match (made, sharing) {
            (Ok(bytes), Some(sharing)) => (bytes, sharing),
            (Ok(bytes), None) => {
                self.keep(item, &bytes).await;
                return Ok(());
            }
            (Err(error), Some(_)) => return Err(self.land_failure(item, error).await),
            (Err(error), None) => return Err(error),
        };
        let _busy = self.activity.work();
        self.store(item, &bytes, &digest(&bytes)).await;
        let put = self.share(sharing, item, &bytes, self.price_of(item)).await;
        self.pin(item, &bytes, &digest(&bytes)).await;
        let landing =
            if put == Put::Refused { FlightResult::Unshared } else { FlightResult::Stored };
        self.land(item, landing).await
    }

    /// Into the flight of a result that is already being made.
    pub(crate) async fn board(&self, item: &CacheKey) -> Result<JoinAnswer, StageError> {
        if self.sharing(item).is_none() {
            return Ok(JoinAnswer::Unshared);
        }
        self.join(item).await
    }

    pub(super) async fn join(&self, item: &CacheKey) -> Result<JoinAnswer, StageError> {
        self.check(item.stage)?;
        let Some(sharing) = self.sharing(item) else { return Ok(JoinAnswer::Unshared) };
        let joined = sharing.flights.join(&item.key).await;
        joined.map_err(|why| interrupted(item.stage, why))
    }

    pub(super) async fn land(
        &self,
        item: &CacheKey,
        landing: FlightResult,
    ) -> Result<(), StageError> {
        let Some(sharing) = self.sharing(item) else { return Ok(()) };
        let landed = sharing.flights.land(&item.key, &landing).await;
        landed.map_err(|why| interrupted(item.stage, why))
    }

    /// A permanent failure of the input is everybody's; any other ends with the job's report, which
    /// passes the flight on.
    pub(super) async fn land_failure(&self, item: &CacheKey, error: StageError) -> StageError {
        let is_of_the_input = error.failure == FailureClass::Permanent
            && error.stage != StageName::Upload
            && error.code != ELSEWHERE;
        if is_of_the_input {
            let landed = self.land(item, FlightResult::Permanent(error.report())).await;
            // The lease is lost, and with it the flight.
            let _ = landed;
        }
        error
    }

    /// Sleeps until the next look; parks the job when all of it does nothing but wait.
    pub(super) async fn wait(&self, stage: StageName, alone: bool) -> Result<(), StageError> {
        if alone {
            return Err(self.only_waits(stage));
        }
        let mark = self.activity.mark();
        let (least, most) = POLL_INTERVAL;
        let pause = least + most.saturating_sub(least).mul_f64(fastrand::f64());
        self.unless_halted(stage, sleep(pause)).await?;
        if self.activity.is_still_since(mark) {
            return Err(self.only_waits(stage));
        }
        self.check(stage)
    }

    fn only_waits(&self, stage: StageName) -> StageError {
        self.note_other_job(WAITS, OtherJob::Flights(self.activity.awaited()));
        let message = "other jobs already pay for all that this one needs";
        StageError::new(stage, FailureClass::Interrupted, WAITS, message)
    }

    pub(super) fn failed_elsewhere(&self, stage: StageName, report: ErrorReport) -> StageError {
        let message = format!("another job has failed on the same input: {}", report.message);
        self.note_other_job(ELSEWHERE, OtherJob::Failed(report));
        StageError::new(stage, FailureClass::Permanent, ELSEWHERE, message)
    }
}
