//! Another job pays already: waits for it, and parks the job when all of it does nothing but wait.

use std::time::Duration;

use stillcast_enqueue::StageName;
use tokio::time::sleep;

use crate::attempt::Attempt;
use crate::{FailureClass, OtherJob, StageError};

/// A branch that waits for another job looks again after so long, spread so that a herd does not.
const POLL_INTERVAL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

/// What the rest of a job does while one result of it is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhileWaiting {
    /// Its other branches go on.
    OthersGoOn,
    /// Nothing: the job parks at once.
    Park,
}

/// Sleeps until the next look.
pub(super) async fn wait(
    attempt: &Attempt<'_>,
    stage: StageName,
    meanwhile: WhileWaiting,
) -> Result<(), StageError> {
    if meanwhile == WhileWaiting::Park {
        return Err(only_waits(attempt, stage));
    }
    let mark = attempt.activity.mark();
    let (min, max) = POLL_INTERVAL;
    let pause = min + max.saturating_sub(min).mul_f64(fastrand::f64());
    attempt.unless_halted(stage, sleep(pause)).await?;
    if attempt.activity.is_still_since(mark) {
        return Err(only_waits(attempt, stage));
    }
    attempt.check(stage)
}

fn only_waits(attempt: &Attempt<'_>, stage: StageName) -> StageError {
    let message = "other jobs already pay for all that this one needs";
    StageError::new(stage, FailureClass::Interrupted, "waits-for-flight", message)
        .of_other_job(OtherJob::Flights(attempt.activity.awaited()))
}
