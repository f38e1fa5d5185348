//! How many calls of each stage this process makes at once.

use stillcast_enqueue::StageName;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Policies;

/// One set of slots a process, shared by all its jobs.
#[derive(Debug)]
pub struct Slots([Semaphore; StageName::ALL.len()]);

impl Slots {
    /// As many slots as the table's rows say, at least one each.
    pub fn new(policies: &Policies) -> Self {
        Self(StageName::ALL.map(|stage| Semaphore::new(policies.row(stage).slots.max(1))))
    }

    /// Waits for a slot of `stage`; it is free again when the permit is dropped.
    pub(crate) async fn acquire(&self, stage: StageName) -> SemaphorePermit<'_> {
        let slots = &self.0[stage as usize];
        slots.acquire().await.expect("these semaphores are never closed")
    }
}
