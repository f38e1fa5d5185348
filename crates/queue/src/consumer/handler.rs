//! A lease goes in, the report of one attempt comes out: what a worker brings to the queue.

use async_trait::async_trait;
use stillcast_enqueue::Envelope;

use super::begins::Begins;
use crate::lease::Lease;
use crate::outcome::Report;

/// Does the work of one attempt.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Works under `lease` and says how it ended. Dropped when the lease is interrupted, so all
    /// that it starts must die on drop.
    async fn attempt(&self, lease: NewLease) -> Report;
}

/// A lease under which nothing was written yet. Until it is begun it can only be read, and a process that
/// dies then counts against nobody: the lease that pays, remembers and shows comes out of
/// [`NewLease::begin`].
pub struct NewLease {
    lease: Lease,
    begins: Begins,
}

impl NewLease {
    pub(crate) fn new(lease: Lease, begins: Begins) -> Self {
        Self { lease, begins }
    }

    /// The job.
    pub fn id(&self) -> &str {
        self.lease.id()
    }

    /// The request.
    pub fn envelope(&self) -> &Envelope {
        self.lease.envelope()
    }

    /// From here on the death of this process counts against the job. Waits until Redis has written that
    /// down; where the lease is over before, the attempt is dropped while it waits.
    pub async fn begin(self) -> Lease {
        let Self { lease, begins } = self;
        let is_current = begins.begin(&lease).await.unwrap_or_default();
        if lease.still_current(is_current).is_err() {
            std::future::pending::<()>().await;
        }
        lease
    }
}
