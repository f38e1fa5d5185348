//! The limits of an attempt: a stage goes in, the time that is left for it comes out.

use std::time::Duration;

use stillcast_enqueue::{Format, StageName};
use tokio::time::Instant;

use crate::policy::{Budget, budget};
use crate::{FailureClass, Policies, StageError, StagePolicy};

/// What limits one attempt: the table, the kind of file, and when it began.
pub(crate) struct Limits<'run> {
    pub(crate) policies: &'run Policies,
    pub(crate) format: Format,
    /// How long the file shall be; zero where nobody says.
    pub(crate) duration: Duration,
    pub(crate) began: Instant,
}

impl Limits<'_> {
    pub(crate) fn row(&self, stage: StageName) -> &StagePolicy {
        self.policies.row(stage)
    }

    /// Longest time of one try of `stage`.
    pub(crate) fn timeout(&self, stage: StageName) -> Duration {
        self.policies.timeout(stage, self.format, self.duration)
    }

    /// What is left of the content's time, or behind it of the attempt's budget.
    pub(crate) fn time_left(&self, stage: StageName) -> Duration {
        let whole = match budget(stage) {
            Budget::Content => self.policies.content_time(self.duration),
            Budget::Attempt => self.policies.attempt_budget(self.format, self.duration),
        };
        whole.saturating_sub(self.began.elapsed())
    }

    /// The failure of a call that took longer than `limit`.
    pub(crate) fn timed_out(&self, stage: StageName, limit: Duration) -> StageError {
        if self.time_left(stage).is_zero() {
            return self.out_of_time(stage);
        }
        transient(stage, "timeout", format!("no answer within {limit:?}"))
    }

    /// The failure of a stage that has no time left at all.
    pub(crate) fn out_of_time(&self, stage: StageName) -> StageError {
        match budget(stage) {
            Budget::Attempt => {
                transient(stage, "attempt-timeout", "the attempt's time budget is used up".into())
            }
            Budget::Content => {
                let limit = self.policies.content_time(self.duration);
                let message = format!("CONTENT_GENERATION_TIMEOUT ({limit:?}) is used up");
                transient(stage, "content-timeout", message)
            }
        }
    }
}

fn transient(stage: StageName, code: &'static str, message: String) -> StageError {
    StageError::new(stage, FailureClass::Transient { retry_after: None }, code, message)
}
