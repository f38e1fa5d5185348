//! The words as a whole, once they are known.

use super::key::track_key;
use crate::JoinAnswer;
use crate::attempt::Attempt;
use crate::reuse::join_flight;

/// A whole transcript.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Of its words.
    pub(super) digest: String,
    /// What joining the flight of its sound has answered; `None` when it was not written just now,
    /// so that nobody speaks it yet.
    pub(super) flight: Option<JoinAnswer>,
}

impl Written {
    /// Words with this digest that were there already.
    pub(crate) fn before(digest: String) -> Self {
        Self { digest, flight: None }
    }

    /// Words with this digest that are spoken while they are written. The flight of their sound is
    /// joined before anybody else can know them.
    pub(crate) async fn just_now(attempt: &Attempt<'_>, digest: String) -> Self {
        let joined = join_flight(attempt, &track_key(attempt, &digest)).await;
        // A halted attempt joins nothing any more, and yet its finished words are kept.
        Self { digest, flight: Some(joined.unwrap_or(JoinAnswer::Unshared)) }
    }
}
