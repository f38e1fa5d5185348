//! What the claimer hands to the executor: a lease, and the slot that it fills.

use tokio::sync::OwnedSemaphorePermit;

use crate::clock::Moment;
use crate::lease::Lease;

/// A job, leased, with the slot it runs in.
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    /// When the claim was sent.
    pub(crate) sent: Moment,
    /// Given back when the report is through.
    pub(crate) slot: OwnedSemaphorePermit,
}
