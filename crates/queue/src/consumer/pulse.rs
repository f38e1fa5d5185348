//! The pulse of the main runtime: as long as it beats, the heartbeat may renew.

use std::sync::Arc;

use super::role::Running;
use super::shared::Shared;

/// Starts the pulse; a beat each twelfth of a lease.
pub(crate) fn start(shared: &Shared) -> Running {
    let (leases, period) = (Arc::clone(&shared.leases), shared.options.lease_ttl / 12);
    Running::task(async move {
        loop {
            leases.beat();
            tokio::time::sleep(period).await;
        }
    })
}
