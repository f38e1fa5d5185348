//! What happens under a consumer, for those who count it.

use std::time::Duration;

use crate::Reaped;

/// Hears what happens, to count it. Called from the runtime and from the renewal thread.
pub trait Observer: Send + Sync + 'static {
    /// Must return at once.
    fn observe(&self, event: &Event);
}

impl Observer for () {
    fn observe(&self, _: &Event) {}
}

/// What an [`Observer`] hears.
#[derive(Clone, Debug)]
pub enum Event {
    /// A job was claimed after so long in `ready`.
    Claimed {
        /// From first ready to leased, by the clocks of Redis and this host.
        waited: Duration,
    },
    /// A report was accepted; the job is in `state` after an attempt of this length.
    Reported {
        /// The state.
        state: String,
        /// The attempt's length.
        after: Duration,
    },
    /// A report was refused: another token holds the job.
    StaleReport,
    /// An attempt stopped since its lease was lost.
    LeaseLost,
    /// The clock ended a lease before Redis could lend it again.
    SelfFenced,
    /// A handler panicked.
    Panicked,
    /// A request could not be read and is dead.
    Poison,
    /// A provider's refusal holds this worker back, or no longer.
    Breaker {
        /// Whether it is held back from now on.
        is_open: bool,
    },
    /// A round of the reaper.
    Reaped(Reaped),
}
