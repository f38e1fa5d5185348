//! The limits of an attempt: an error or a stage goes in, the time that is left for it comes out.

use std::time::Duration;

use stillcast_enqueue::StageName;

use super::Attempt;
use crate::{FailureClass, StageError};

impl Attempt<'_> {
    /// The wait before the next try, or the verdict: fail, or park when the provider asks for a
    /// wait above the back-off cap or beyond the budget left.
    pub(super) fn delay(
        &self,
        error: &StageError,
        ceiling: Option<Duration>,
    ) -> Result<Duration, Box<StageError>> {
        let FailureClass::Transient { retry_after } = error.failure else {
            return Err(Box::new(error.clone()));
        };
        let left = self.time_left(error.stage);
        let longest = self.row(error.stage).backoff.cap.min(left);
        if let Some(asked) = retry_after.filter(|asked| *asked > longest) {
            return Err(Box::new(StageError { park: Some(asked), ..error.clone() }));
        }
        // Full jitter; on top of a wait that was asked for, so that not all come back at once.
        let delay = ceiling
            .map(|ceiling| retry_after.unwrap_or_default() + ceiling.mul_f64(fastrand::f64()));
        delay.filter(|delay| *delay < left).ok_or_else(|| Box::new(error.clone()))
    }

    /// What is left of the content's time, or behind it of the attempt's budget.
    pub(super) fn time_left(&self, stage: StageName) -> Duration {
        let policies = &self.run.policies;
        let budget = match stage {
            StageName::Encode | StageName::Upload => {
                policies.attempt_budget(self.run.request.format)
            }
            _ => policies.content_timeout,
        };
        budget.saturating_sub(self.began.elapsed())
    }

    pub(super) fn timed_out(&self, stage: StageName, limit: Duration) -> StageError {
        if self.time_left(stage).is_zero() {
            return self.out_of_time(stage);
        }
        let message = format!("no answer within {limit:?}");
        StageError::new(stage, FailureClass::Transient { retry_after: None }, "timeout", message)
    }

    pub(super) fn out_of_time(&self, stage: StageName) -> StageError {
        let (code, message) = match stage {
            StageName::Encode | StageName::Upload => {
                ("attempt-timeout", "the attempt's time budget is used up".to_owned())
            }
            _ => {
                let limit = self.run.policies.content_timeout;
                ("content-timeout", format!("CONTENT_GENERATION_TIMEOUT ({limit:?}) is used up"))
            }
        };
        StageError::new(stage, FailureClass::Transient { retry_after: None }, code, message)
    }
}
