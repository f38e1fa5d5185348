//! What the claimer hands to the executor: a lease, and the slot that it fills.

use std::sync::Arc;
use std::time::Duration;

use stillcast_enqueue::{DecodeError, Envelope};
use tokio::sync::OwnedSemaphorePermit;

use super::shared::Shared;
use crate::ClaimedJob;
use crate::clock::Moment;
use crate::event::Event;
use crate::lease::Lease;
use crate::lease_state::{Bounds, LeaseState, valid_until};

/// A job, leased, with the slot it runs in.
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    /// When the claim was sent.
    pub(crate) sent: Moment,
    /// Given back with the report.
    pub(crate) slot: OwnedSemaphorePermit,
}

impl Claimed {
    /// The lease of a job that was claimed by a call sent at `sent`; it is in the table from here on. Fails
    /// where this worker cannot read the request.
    pub(crate) fn new(
        shared: &Shared,
        job: ClaimedJob,
        sent: Moment,
        slot: OwnedSemaphorePermit,
    ) -> Result<Self, (ClaimedJob, DecodeError)> {
        let envelope = match Envelope::decode(&job.body) {
            Ok(envelope) => envelope,
            Err(error) => return Err((job, error)),
        };
        let (options, now) = (&shared.options, Moment::now());
        let bounds = Bounds {
            valid_until: valid_until(sent, options.lease_ttl),
            renew_until: now + (options.attempt_budget)(&envelope) + options.lease_ttl,
            deadline: now + job.remaining,
        };
        let state = LeaseState::new(job.id, job.token, &bounds);
        let (table, link) = (Arc::clone(&shared.leases), shared.link.clone());
        let lease = Lease::new(envelope, job.hash, state, table, link);
        shared.observe(&Event::Claimed { waited: waited(&lease) });
        shared.breaker.claimed(lease.id());
        Ok(Self { lease, sent, slot })
    }
}

/// Since the job was accepted, by this machine's clock.
fn waited(lease: &Lease) -> Duration {
    let now = chrono::Utc::now().timestamp_millis();
    let waited = lease.ready_ms().and_then(|ready| u64::try_from(now - ready).ok());
    Duration::from_millis(waited.unwrap_or_default())
}
