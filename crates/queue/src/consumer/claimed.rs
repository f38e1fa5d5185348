//! What the claimer hands to the executor: a lease, and the slot that it fills.

use tokio::sync::OwnedSemaphorePermit;

use crate::lease::Lease;

/// A job, leased, with the slot it runs in.
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    /// Given back when the report is through.
    pub(crate) slot: OwnedSemaphorePermit,
}
