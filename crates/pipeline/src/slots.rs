//! How many calls of each stage this process makes at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use stillcast_enqueue::StageName;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::{Policies, StageError};

/// One set of slots a process, shared by all its jobs.
///
/// Whether a provider takes this process's account and set-up, one call finds out alone; the others
/// wait for its end, and where it was refused they are refused with it, unsent.
#[derive(Debug)]
pub struct Slots([Row; StageName::ALL.len()]);

#[derive(Debug)]
struct Row {
    slots: Semaphore,
    /// Held by the one call that finds out.
    alone: Semaphore,
    /// Whether the last call that was judged was let in.
    is_let_in: watch::Sender<bool>,
    refused: Mutex<Refusals>,
    is_bought: bool,
}

/// How many calls were refused, and how the last one was.
#[derive(Debug, Default)]
struct Refusals {
    count: u64,
    last: Option<StageError>,
}

/// A slot in hand; free again when dropped.
#[must_use]
pub(crate) struct Slot<'slots> {
    row: &'slots Row,
    _place: SemaphorePermit<'slots>,
    _alone: Option<SemaphorePermit<'slots>>,
}

impl Slots {
    /// As many slots as the table's rows say, at least one each.
    pub fn new(policies: &Policies) -> Self {
        Self(StageName::ALL.map(|stage| Row {
            slots: Semaphore::new(policies.row(stage).slots.max(1)),
            alone: Semaphore::new(1),
            is_let_in: watch::Sender::new(!is_bought(stage)),
            refused: Mutex::default(),
            is_bought: is_bought(stage),
        }))
    }

    /// The same in a process that every provider has let in before.
    #[cfg(test)]
    pub(crate) fn of_the_admitted(policies: &Policies) -> Self {
        let slots = Self::new(policies);
        for stage in StageName::ALL {
            slots.let_in(stage);
        }
        slots
    }

    /// Waits for a slot of `stage`; the refusal of the call that was waited for is this one's too.
    pub(crate) async fn acquire(&self, stage: StageName) -> Result<Slot<'_>, StageError> {
        let row = &self.0[stage as usize];
        let alone = row.alone().await?;
        Ok(Slot { row, _place: acquire(&row.slots).await, _alone: alone })
    }

    /// The provider takes calls of `stage`, as far as the one under way has shown.
    pub(crate) fn let_in(&self, stage: StageName) {
        self.0[stage as usize].let_in();
    }
}

impl Row {
    /// Waits until the provider is known to take calls, or for the right to find out.
    async fn alone(&self) -> Result<Option<SemaphorePermit<'_>>, StageError> {
        let (before, mut let_in) = (self.refusals().count, self.is_let_in.subscribe());
        let alone = tokio::select! {
            biased;
            _ = let_in.wait_for(|is_let_in| *is_let_in) => return Ok(None),
            alone = acquire(&self.alone) => alone,
        };
        self.refused_since(before)?;
        Ok(Some(alone))
    }

    fn let_in(&self) {
        self.is_let_in.send_if_modified(|is_let_in| !std::mem::replace(is_let_in, true));
    }

    /// The refusal of a call that was waited for, since there were `before` of them.
    fn refused_since(&self, before: u64) -> Result<(), StageError> {
        let refusals = self.refusals();
        match &refusals.last {
            Some(error) if refusals.count > before => Err(error.clone()),
            _ => Ok(()),
        }
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot<'_> {
    /// The provider took the call.
    pub(crate) fn was_let_in(&self) {
        self.row.let_in();
    }

    /// The provider refused the account or the set-up.
    pub(crate) fn was_refused(&self, error: &StageError) {
        if !self.row.is_bought {
            return;
        }
        let mut refusals = self.row.refusals();
        refusals.count += 1;
        refusals.last = Some(error.clone());
        self.row.is_let_in.send_replace(false);
    }
}

async fn acquire(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    semaphore.acquire().await.expect("these semaphores are never closed")
}

/// Whether a call of the stage may cost money.
pub(crate) fn is_bought(stage: StageName) -> bool {
    match stage {
        StageName::Transcript | StageName::Tts | StageName::Image => true,
        StageName::Collection | StageName::Encode | StageName::Upload => false,
    }
}
