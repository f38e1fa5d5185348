//! The failures of one call go in, one after another; the wait before its next try comes out, or the
//! failure that ends it.

use std::time::Duration;

use super::limits::Limits;
use crate::{FailureClass, StageError};

/// The waits between the tries of one call.
pub(super) struct Waits<'attempt, Ceilings> {
    limits: &'attempt Limits<'attempt>,
    ceilings: Ceilings,
    repeated: RepeatedCodes,
}

/// The codes that the tries of one call have met.
#[derive(Default)]
struct RepeatedCodes(Vec<&'static str>);

impl<'attempt, Ceilings: Iterator<Item = Duration>> Waits<'attempt, Ceilings> {
    /// `ceilings`: the longest wait before each try after the first.
    pub(super) fn new(limits: &'attempt Limits<'attempt>, ceilings: Ceilings) -> Self {
        Self { limits, ceilings, repeated: RepeatedCodes::default() }
    }

    /// The wait behind `error`, or the verdict: fail, or park when the provider asks for a wait
    /// above the back-off cap or beyond the budget left.
    pub(super) fn after(&mut self, error: StageError) -> Result<Duration, StageError> {
        let error = self.repeated.judge(error);
        let ceiling = self.ceilings.next();
        let FailureClass::Transient { retry_after } = error.failure else { return Err(error) };
        let left = self.limits.time_left(error.stage);
        let longest = self.limits.row(error.stage).backoff.cap.min(left);
        if let Some(asked) = retry_after.filter(|asked| *asked > longest) {
            return Err(StageError { park: Some(asked), ..error });
        }
        // Full jitter; on top of a wait that was asked for, so that not all come back at once.
        let delay = ceiling
            .map(|ceiling| retry_after.unwrap_or_default() + ceiling.mul_f64(fastrand::f64()));
        delay.filter(|delay| *delay < left).ok_or(error)
    }
}

impl RepeatedCodes {
    /// A code met before may mean something else than the first time.
    fn judge(&mut self, error: StageError) -> StageError {
        let Self(met) = self;
        let failure = error.again.filter(|_| met.contains(&error.code)).unwrap_or(error.failure);
        met.push(error.code);
        StageError { failure, ..error }
    }
}
