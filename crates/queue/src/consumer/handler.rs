//! A lease goes in, the report of one attempt comes out: what a worker brings to the queue.

use async_trait::async_trait;

use crate::lease::Lease;
use crate::outcome::Report;

/// Does the work of one attempt.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Works under `lease` and says how it ended. Dropped when the lease is interrupted, so all
    /// that it starts must die on drop.
    async fn attempt(&self, lease: Lease) -> Report;
}
