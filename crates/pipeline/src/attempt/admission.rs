//! A call goes in, and how long its job may stand in line; a place comes out, or the failure that parks it.

use std::time::Duration;

use stillcast_enqueue::StageName;
use tokio::time::{Instant, sleep};

use crate::{Admission, Call, FailureClass, Permit, RateLimiter, StageError};

/// The code of a job that parks since its provider's account allows no more calls for now.
pub const ACCOUNT_LIMIT: &str = "account-limit";
/// A job that has bought nothing of a stage yet leaves its slot to others after so long.
const PATIENCE_BEFORE: Duration = Duration::from_secs(5);
/// One that has keeps it longer: what it has is at hand here, and its end frees the slot for good.
const PATIENCE_WITHIN: Duration = Duration::from_secs(30);
/// A process that stood still for so long has missed its place: by now it is another's time.
pub(super) const OVERSLEPT: Duration = Duration::from_millis(250);

/// How long a call may stand in line: never more than half of the time that is left, so that nothing runs out
/// of its time by waiting.
pub(super) fn patience(has_begun: bool, time_left: Duration) -> Duration {
    let longest = if has_begun { PATIENCE_WITHIN } else { PATIENCE_BEFORE };
    longest.min(time_left / 2)
}

/// A place, and the wait for it; none where nobody limits the call. Looks again as long as that is of use
/// within `patience`.
pub(super) async fn ask(
    limiter: &dyn RateLimiter,
    call: &Call<'_>,
    patience: Duration,
    hold: Duration,
) -> Result<Option<(Duration, Box<dyn Permit>)>, StageError> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match limiter.admit(call, left, hold).await {
            Admission::Free => return Ok(None),
            Admission::Granted { after, permit } => return Ok(Some((after, permit))),
            Admission::Refused { again, .. } if again < left => sleep(again).await,
            Admission::Refused { again, why } => {
                return Err(parked(call, ACCOUNT_LIMIT, (again, &why)));
            }
        }
    }
}

/// The end of an attempt that waits for `why`, and asks `again` after this time.
pub(super) fn parked(
    call: &Call<'_>,
    code: &'static str,
    (again, why): (Duration, &str),
) -> StageError {
    let (stage, message): (StageName, _) = (call.stage, format!("waits for {why}"));
    let error = StageError::new(stage, FailureClass::Interrupted, code, message);
    StageError { provider: Some(call.provider), park: Some(again), ..error }
}
