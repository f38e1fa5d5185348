//! The key of a flight goes in; who pays for it comes out, and the owner's answer goes to its waiters.

use super::Lease;
use crate::Interrupted;
use crate::flight::{FlightResult, JoinAnswer};

impl Lease {
    /// Into the flight `key`: who pays for it?
    pub async fn join(&self, key: &str) -> Result<JoinAnswer, Interrupted> {
        let answer = self.repeat(|calls| calls.join(key)).await;
        JoinAnswer::from_words(&answer).ok_or_else(|| {
            self.state.interrupt(Interrupted::LeaseLost);
            Interrupted::LeaseLost
        })
    }

    /// Out of the flight `key`, with its result for the waiters.
    pub async fn land(&self, key: &str, result: &FlightResult) -> Result<(), Interrupted> {
        let how = &result.as_word();
        // A flight that is no longer ours needs no landing, so the answer does not matter.
        self.repeat(|calls| calls.land(key, how)).await;
        self.still_current(true)
    }
}
