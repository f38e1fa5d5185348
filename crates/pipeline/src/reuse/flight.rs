//! Who pays: joins a result's flight, and ends it for all who wait.

use stillcast_enqueue::{ErrorReport, StageName};

use crate::cache_key::CacheKey;
use crate::{FailureClass, FlightResult, Flights, JoinAnswer, OtherJob, StageError};

/// The flights of the fleet, as one job takes part in them.
pub(super) struct Flight<'run> {
    pub(super) flights: &'run dyn Flights,
}

impl Flight<'_> {
    /// Into the flight of `key`: who pays?
    pub(super) async fn join(&self, key: &CacheKey) -> Result<JoinAnswer, StageError> {
        let joined = self.flights.join(&key.shared).await;
        joined.map_err(|why| StageError::interrupted(key.stage, why))
    }

    /// Out of the flight of `key`, with its end for all who wait.
    pub(super) async fn land(
        &self,
        key: &CacheKey,
        result: FlightResult,
    ) -> Result<(), StageError> {
        let landed = self.flights.land(&key.shared, &result).await;
        landed.map_err(|why| StageError::interrupted(key.stage, why))
    }

    /// A permanent failure of the input is everybody's; any other ends with the job's report, which
    /// passes the flight on.
    pub(super) async fn fail(&self, key: &CacheKey, error: StageError) -> StageError {
        let is_of_the_input = error.failure == FailureClass::Permanent
            && error.stage != StageName::Upload
            && error.other_job.is_none();
        if is_of_the_input {
            // Where this fails the lease is lost, and with it the flight.
            let _ = self.land(key, FlightResult::Permanent(error.report())).await;
        }
        error
    }
}

/// The failure of a job whose input has failed in another job for good.
pub(super) fn failed_elsewhere(key: &CacheKey, report: ErrorReport) -> StageError {
    let message = format!("another job has failed on the same input: {}", report.message);
    StageError::new(key.stage, FailureClass::Permanent, "failed-elsewhere", message)
        .of_other_job(OtherJob::Failed(report))
}
