//! Answers and failures of one connection go in; two lines a time of trouble come out: that it has
//! begun, and how long it was.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::RedisError;
use stillcast_enqueue::address::told;

use crate::clock::Moment;

/// A second outage so soon after the first is counted, not told.
const QUIET: Duration = Duration::from_secs(10);

/// What is known of one connection's troubles.
pub(crate) struct Outage {
    link: &'static str,
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    since: Option<Moment>,
    failures: u64,
    /// When the last one was told.
    told: Option<Moment>,
    is_told: bool,
}

impl Outage {
    /// Of the connection that the log calls `link`.
    pub(crate) fn new(link: &'static str) -> Self {
        Self { link, trouble: Mutex::default() }
    }

    /// A call failed.
    pub(crate) fn failed(&self, error: &RedisError) {
        let now = Moment::now();
        let mut trouble = self.trouble();
        trouble.failures += 1;
        if trouble.since.is_some() {
            return;
        }
        trouble.since = Some(now);
        trouble.is_told = trouble.told.is_none_or(|told| now.saturating_since(told) > QUIET);
        if trouble.is_told {
            trouble.told = Some(now);
            tracing::warn!(
                link = self.link,
                why = told(error),
                "Redis does not serve; trying again"
            );
        }
    }

    /// Whether the last call failed.
    pub(crate) fn is_on(&self) -> bool {
        self.trouble().since.is_some()
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call was answered.
    pub(crate) fn answered(&self) {
        let mut trouble = self.trouble();
        let Some(since) = trouble.since.take() else { return };
        let failures = std::mem::take(&mut trouble.failures);
        if trouble.is_told {
            let seconds = Moment::now().saturating_since(since).as_secs_f64();
            tracing::info!(link = self.link, seconds, failures, "Redis serves again");
        }
    }
}
