//! What the pipeline needs to know of providers' limits: whether a call may begin, and when.
//!
//! An account's limits are all workers' together, so that whoever keeps them is asked before each call that
//! is bought. Nobody waits there for long: what cannot begin soon is sent away, and its job parks.

use std::time::Duration;

use async_trait::async_trait;

use crate::Call;

/// Keeps the limits of providers' accounts for the whole fleet.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Asks for a place for `call`, which may have to wait for it for `patience` and takes `hold` at most.
    /// Who cannot tell says [`Admission::Free`]: the provider knows its limits itself.
    async fn admit(&self, call: &Call<'_>, patience: Duration, hold: Duration) -> Admission;
}

/// Whether a call may begin.
pub enum Admission {
    /// Nobody limits it.
    Free,
    /// After this wait, for which its place is kept.
    Granted {
        /// The wait.
        after: Duration,
        /// The place.
        permit: Box<dyn Permit>,
    },
    /// Not within the patience.
    Refused {
        /// When asking again is of use.
        again: Duration,
        /// Who is waited for and why, such as `openai: 60 requests a minute (TTS_RPM)`.
        why: String,
    },
}

/// A place for one call. Dropped before it has begun, the place is given back; dropped later, the call is over.
/// Neither waits: nothing lies between what is bought and its checkpoint.
pub trait Permit: Send {
    /// The call begins.
    fn begin(&mut self);
}
