//! What an attempt has cost: usage and prices of its calls go in, money comes out.

use stillcast_enqueue::{Cost, StageName};

use super::Attempt;
use crate::Usage;
use crate::cache_key::{CacheKey, CheckpointKind};

/// The price of a call under way. Dropped unsettled, since the call was cut off, it is lost: nobody
/// says how far a provider had come, and what it has made it charges for.
pub(super) struct PendingCharge<'attempt, 'run> {
    pub(super) attempt: &'attempt Attempt<'run>,
    pub(super) stage: StageName,
    pub(super) price: Option<Usage>,
}

impl PendingCharge<'_, '_> {
    /// The call was answered, and its answer says what it has used.
    pub(super) fn settle(mut self) {
        self.price = None;
    }
}

impl Drop for PendingCharge<'_, '_> {
    fn drop(&mut self) {
        if let Some(price) = self.price.take().filter(|price| price.usd() > 0.0) {
            self.attempt.wasted(self.stage, &price);
        }
    }
}

impl Attempt<'_> {
    /// Books what a call has used that failed, and yet gave something.
    pub(crate) fn used(&self, stage: StageName, usage: &Usage) {
        self.ledger.used(stage, usage);
        self.book();
    }

    /// Books what a call has used for nothing.
    pub(crate) fn wasted(&self, stage: StageName, usage: &Usage) {
        self.ledger.wasted(stage, usage);
        self.book();
    }

    /// From now on the cost survives this attempt, however it ends; and with the next checkpoint,
    /// this worker.
    fn book(&self) {
        self.run.memory.checkpoints.record_cost(self.cost());
    }

    pub(crate) fn cost(&self) -> Cost {
        self.ledger.cost()
    }

    /// Books a result that nobody had to pay for now; `usd` is what it cost another job.
    pub(crate) fn recalled(&self, stage: StageName, usd: f64) {
        self.announce(stage);
        let provider = self.run.providers.name_of(stage);
        self.ledger.recalled(stage, provider, usd);
        self.book();
    }

    /// A part of what `stage` gives was paid for by an earlier attempt.
    pub(crate) fn paid_before(&self, stage: StageName, usd: f64) {
        self.ledger.paid_before(stage, usd);
    }

    /// What has been paid, or was spared, for `item`: by all attempts for the finished file.
    pub(crate) fn price_of(&self, item: &CacheKey) -> f64 {
        if item.kept == CheckpointKind::Facts {
            let cost = self.run.memory.checkpoints.earlier_cost() + self.cost();
            return cost.spent_usd + cost.avoided_usd;
        }
        self.ledger.price(item.stage)
    }
}
