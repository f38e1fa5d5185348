//! What a job has cost goes in, attempt by attempt; what a report or a checkpoint writes comes out.

use std::sync::{Mutex, MutexGuard, PoisonError};

use stillcast_enqueue::Cost;

/// The money of one job under one lease.
#[derive(Default)]
pub(crate) struct LeaseCost(Mutex<CostState>);

#[derive(Default)]
struct CostState {
    earlier: Cost,
    /// Of this attempt, before it began anew.
    carried: Cost,
    now: Option<Cost>,
}

impl LeaseCost {
    fn state(&self) -> MutexGuard<'_, CostState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What earlier attempts have cost.
    pub(crate) fn open(&self, earlier: Cost) {
        self.state().earlier = earlier;
    }

    pub(crate) fn earlier(&self) -> Cost {
        self.state().earlier
    }

    /// What the attempt has cost until now, in all.
    pub(crate) fn record(&self, now: Cost) {
        self.state().now = Some(now);
    }

    /// What all attempts have cost; none when nothing was booked under this lease.
    pub(crate) fn total(&self) -> Option<Cost> {
        let state = self.state();
        state.now.map(|now| state.earlier + now)
    }

    /// What this attempt alone has cost.
    pub(crate) fn of_attempt(&self) -> Cost {
        let state = self.state();
        state.carried + state.now.unwrap_or_default()
    }

    /// The attempt begins anew under the same lease.
    pub(crate) fn carry_over(&self) {
        let mut state = self.state();
        let now = state.now.take().unwrap_or_default();
        state.earlier = state.earlier + now;
        state.carried = state.carried + now;
    }
}
