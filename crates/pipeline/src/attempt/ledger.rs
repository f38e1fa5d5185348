//! The account of an attempt, stage by stage: what its calls did goes in, stage records and money
//! come out. What it has cost is written into the job's checkpoints as it changes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stillcast_enqueue::{Cost, StageName, StageRecord};
use tokio::time::Instant;

use super::account::{Account, Phase};
use crate::{Checkpoints, Run, Usage};

/// The accounts of one attempt.
pub(crate) struct Ledger<'run> {
    accounts: Mutex<BTreeMap<StageName, Account>>,
    /// The prices of calls under way.
    pending: Mutex<Vec<Price>>,
    /// Money that was booked since somebody has last asked, in US dollars.
    booked: Mutex<f64>,
    began: Instant,
    run: &'run Run,
}

/// A call in one phase; leaves it on drop, so that dropped calls count too.
#[must_use]
pub(crate) struct InPhase<'ledger> {
    ledger: &'ledger Ledger<'ledger>,
    stage: StageName,
    phase: Phase,
}

/// The price of a call under way. Dropped unsettled, since the call was cut off, it is lost: nobody
/// says how far a provider had come, and what it has made it charges for.
#[must_use]
pub(crate) struct PendingCharge<'ledger> {
    ledger: &'ledger Ledger<'ledger>,
    stage: StageName,
    price: Option<Price>,
}

/// What a call will use, known beforehand. Clones are of the same call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Price {
    usage: Usage,
    /// What the call gave is kept already: whatever becomes of the call now, nobody pays again.
    is_kept: Arc<AtomicBool>,
}

impl Price {
    pub(crate) fn of(usage: Usage) -> Self {
        Self { usage, is_kept: Arc::default() }
    }

    fn usd(&self) -> f64 {
        self.usage.usd()
    }

    fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Acquire)
    }
}

impl<'run> Ledger<'run> {
    /// An empty ledger, whose money is written into the checkpoints of `run`.
    pub(crate) fn new(run: &'run Run) -> Self {
        let (accounts, pending) = (Mutex::default(), Mutex::default());
        Self { accounts, pending, booked: Mutex::default(), began: Instant::now(), run }
    }

    /// Notes that `stage` has been announced; true the first time.
    pub(crate) fn announce(&self, stage: StageName) -> bool {
        let mut accounts = self.accounts();
        !std::mem::replace(&mut accounts.entry(stage).or_default().announced, true)
    }

    /// Whether anything of `stage` was bought or had again.
    pub(crate) fn has_begun(&self, stage: StageName) -> bool {
        self.accounts().get(&stage).is_some_and(|account| account.tries > 0 || account.recalled)
    }

    pub(crate) fn waiting(&self, stage: StageName) -> InPhase<'_> {
        self.enter(stage, Phase::Waiting)
    }

    pub(crate) fn running(&self, stage: StageName) -> InPhase<'_> {
        self.enter(stage, Phase::Running)
    }

    pub(crate) fn tried(&self, stage: StageName, provider: &'static str) {
        let mut accounts = self.accounts();
        let account = accounts.entry(stage).or_default();
        account.tries += 1;
        account.provider = Some(provider);
    }

    /// A call begins that will use `price`, whatever becomes of it.
    pub(crate) fn charge(&self, stage: StageName, price: &Price) -> PendingCharge<'_> {
        // Of this try nothing is kept yet.
        price.is_kept.store(false, Ordering::Release);
        if price.usd() > 0.0 {
            self.pending().push(price.clone());
            self.write();
        }
        PendingCharge { ledger: self, stage, price: Some(price.clone()) }
    }

    /// What the call under way gave is stored. The checkpoint that says so must say its price too: its
    /// worker may die before the call is booked.
    pub(crate) fn kept(&self, price: &Price) {
        price.is_kept.store(true, Ordering::Release);
        self.write();
    }

    /// A call is no longer under way.
    fn close(&self, price: &Price) {
        self.pending().retain(|open| !Arc::ptr_eq(&open.is_kept, &price.is_kept));
    }

    /// Writes what the attempt has cost until now, and what it has cost if it is cut off now.
    fn write(&self) {
        let cost = self.cost();
        let of_pending = |is_kept: bool| {
            let pending = self.pending();
            pending.iter().filter(|price| price.is_kept() == is_kept).map(Price::usd).sum::<f64>()
        };
        let cost = Cost { spent_usd: cost.spent_usd + of_pending(true), ..cost };
        self.checkpoints().record_cost(cost);
        let wasted_usd = cost.wasted_usd + of_pending(false);
        self.checkpoints().record_cut(Cost { wasted_usd, ..cost });
    }

    fn pending(&self) -> MutexGuard<'_, Vec<Price>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Books what a call has used that gave something.
    pub(crate) fn used(&self, stage: StageName, usage: &Usage) {
        self.accounts().entry(stage).or_default().usage.merge(usage);
        self.run.observer.used(stage, usage);
        self.booked(stage, Cost { spent_usd: usage.usd(), ..Cost::default() });
    }

    /// Books what a call has used for nothing.
    pub(crate) fn wasted(&self, stage: StageName, usage: &Usage) {
        self.accounts().entry(stage).or_default().wasted.merge(usage);
        self.run.observer.used(stage, usage);
        self.booked(stage, Cost { wasted_usd: usage.usd(), ..Cost::default() });
    }

    /// A result came from a checkpoint or a cache; `avoided_usd` is what it cost another job.
    pub(crate) fn recalled(&self, stage: StageName, provider: &'static str, avoided_usd: f64) {
        let mut accounts = self.accounts();
        let account = accounts.entry(stage).or_default();
        account.recalled = true;
        account.provider.get_or_insert(provider);
        account.avoided_usd += avoided_usd;
        drop(accounts);
        self.booked(stage, Cost { avoided_usd, ..Cost::default() });
    }

    /// An earlier attempt has paid for a part of what `stage` gives.
    pub(crate) fn paid_before(&self, stage: StageName, usd: f64) {
        self.accounts().entry(stage).or_default().earlier_usd += usd;
    }

    /// Money that what `stage` gave has cost this job and others.
    pub(crate) fn price(&self, stage: StageName) -> f64 {
        self.accounts().get(&stage).map_or(0.0, Account::price)
    }

    /// Money that all attempts of this job have paid, or were spared.
    pub(crate) fn price_of_job(&self) -> f64 {
        let cost = self.checkpoints().earlier_cost() + self.cost();
        cost.spent_usd + cost.avoided_usd
    }

    /// Money that all attempts of this job have spent for nothing.
    pub(crate) fn wasted_by_job(&self) -> f64 {
        self.checkpoints().earlier_cost().wasted_usd + self.cost().wasted_usd
    }

    /// Whoever observes hears of it. From now on the cost survives this attempt, however it ends; and
    /// with the next checkpoint, this worker.
    fn booked(&self, stage: StageName, more: Cost) {
        self.run.observer.booked(stage, more);
        *self.untold() += more.spent_usd + more.wasted_usd;
        self.write();
    }

    /// What was spent or wasted since this was last asked.
    pub(crate) fn take_booked(&self) -> f64 {
        std::mem::take(&mut *self.untold())
    }

    fn untold(&self) -> MutexGuard<'_, f64> {
        self.booked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The money of all stages.
    pub(crate) fn cost(&self) -> Cost {
        let accounts = self.accounts();
        Cost {
            spent_usd: accounts.values().map(|account| account.usage.usd()).sum(),
            wasted_usd: accounts.values().map(|account| account.wasted.usd()).sum(),
            avoided_usd: accounts.values().map(|account| account.avoided_usd).sum(),
        }
    }

    /// The record of `stage`, when it has begun.
    pub(crate) fn record(&self, stage: StageName) -> Option<StageRecord> {
        let mut accounts = self.accounts();
        Some(accounts.get_mut(&stage)?.record(stage, self.began))
    }

    /// The records of all stages that have begun, in travel order.
    pub(crate) fn records(&self) -> Vec<StageRecord> {
        StageName::ALL.into_iter().filter_map(|stage| self.record(stage)).collect()
    }

    fn checkpoints(&self) -> &'run dyn Checkpoints {
        self.run.memory.checkpoints.as_ref()
    }

    fn enter(&self, stage: StageName, phase: Phase) -> InPhase<'_> {
        self.shift(stage, phase, 1);
        InPhase { ledger: self, stage, phase }
    }

    fn shift(&self, stage: StageName, phase: Phase, by: i32) {
        self.accounts().entry(stage).or_default().shift(phase, by);
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<StageName, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InPhase<'_> {
    fn drop(&mut self) {
        self.ledger.shift(self.stage, self.phase, -1);
    }
}

impl PendingCharge<'_> {
    /// The call was answered, and its answer says what it has used.
    pub(crate) fn settle(mut self) {
        if let Some(price) = self.price.take() {
            self.ledger.close(&price);
        }
    }
}

impl Drop for PendingCharge<'_> {
    fn drop(&mut self) {
        if let Some(price) = self.price.take().filter(|price| price.usd() > 0.0) {
            self.ledger.close(&price);
            if price.is_kept() {
                self.ledger.used(self.stage, &price.usage);
            } else {
                self.ledger.wasted(self.stage, &price.usage);
            }
        }
    }
}
