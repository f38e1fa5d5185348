//! The key of a flight goes in; who pays for it comes out, and the owner's answer goes to its waiters.

use super::Lease;
use crate::Interrupted;
use crate::flight::{FlightResult, JoinAnswer};
use crate::link::Link;

impl Lease {
    /// Into the flight `key`: who pays for it?
    pub async fn join(&self, key: &str) -> Result<JoinAnswer, Interrupted> {
        let (id, token) = (self.id(), self.token());
        let answer = self
            .repeat(|mut link: Link| async move {
                link.scripts.join(&mut link.connection, id, token, key).await
            })
            .await;
        JoinAnswer::from_words(&answer).ok_or_else(|| {
            self.state.interrupt(Interrupted::LeaseLost);
            Interrupted::LeaseLost
        })
    }

    /// Out of the flight `key`, with its result for the waiters.
    pub async fn land(&self, key: &str, result: &FlightResult) -> Result<(), Interrupted> {
        let (id, token, how) = (self.id(), self.token(), &result.as_word());
        // A flight that is no longer ours needs no landing, so the answer does not matter.
        self.repeat(|mut link: Link| async move {
            link.scripts.land(&mut link.connection, id, token, key, how).await
        })
        .await;
        self.still_current(true)
    }
}
