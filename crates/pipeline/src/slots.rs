//! How many calls of each stage this process makes at once.
//!
//! Where a call has shown that the set-up is at fault, one at a time is enough to learn whether it still
//! is: the others wait, and buy nothing meanwhile. The first call that succeeds opens the stage again.

use std::sync::atomic::{AtomicBool, Ordering};

use stillcast_enqueue::StageName;
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use crate::Policies;

/// One set of slots a process, shared by all its jobs.
#[derive(Debug)]
pub struct Slots([Stage; StageName::ALL.len()]);

#[derive(Debug)]
struct Stage {
    slots: Semaphore,
    is_doubted: AtomicBool,
    /// Held by the one call of a doubted stage.
    trial: Mutex<()>,
}

/// A slot, and where the stage is doubted its one trial; both are free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot<'slots> {
    _slot: SemaphorePermit<'slots>,
    _trial: Option<MutexGuard<'slots, ()>>,
}

impl Slots {
    /// As many slots as the table's rows say, at least one each.
    pub fn new(policies: &Policies) -> Self {
        Self(StageName::ALL.map(|stage| Stage {
            slots: Semaphore::new(policies.row(stage).slots.max(1)),
            is_doubted: AtomicBool::new(false),
            trial: Mutex::default(),
        }))
    }

    /// Waits for a slot of `stage`; it is free again when it is dropped.
    pub(crate) async fn acquire(&self, stage: StageName) -> Slot<'_> {
        let stage = &self.0[stage as usize];
        let slot = stage.slots.acquire().await.expect("these semaphores are never closed");
        if !stage.is_doubted() {
            return Slot { _slot: slot, _trial: None };
        }
        let trial = stage.trial.lock().await;
        // The one before may have shown that all is well.
        let trial = stage.is_doubted().then_some(trial);
        Slot { _slot: slot, _trial: trial }
    }

    /// A call of `stage` has shown that its set-up is at fault.
    pub(crate) fn doubt(&self, stage: StageName) {
        self.0[stage as usize].is_doubted.store(true, Ordering::Relaxed);
    }

    /// A call of `stage` has succeeded.
    pub(crate) fn trust(&self, stage: StageName) {
        self.0[stage as usize].is_doubted.store(false, Ordering::Relaxed);
    }
}

impl Stage {
    fn is_doubted(&self) -> bool {
        self.is_doubted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_doubted_stage_makes_one_call_at_a_time_until_one_succeeds() {
        let slots = Slots::new(&crate::standard(4, 2));
        let acquire = || slots.acquire(StageName::Tts);
        let begun = (acquire().await, acquire().await);
        slots.doubt(StageName::Tts);
        let trial = acquire().await;
        assert!(acquire().now_or_never().is_none(), "another one is under way");
        assert!(slots.acquire(StageName::Image).now_or_never().is_some(), "another stage");
        drop(begun);
        assert!(acquire().now_or_never().is_none(), "it is still under way");
        drop(trial);
        let trial = acquire().await;
        slots.trust(StageName::Tts);
        drop(trial);
        let _all = (acquire().await, acquire().await, acquire().await);
    }
}
