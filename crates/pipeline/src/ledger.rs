//! The account of each stage: what its calls did goes in, stage records come out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{Cost, StageName, StageRecord};
use tokio::time::Instant;

use crate::Usage;

/// The accounts of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<StageName, Account>>);

/// A stage may have many calls under way; a second counts once, as run when any call runs, as
/// wait when none runs and one waits for its slot. Back-off is neither.
#[derive(Debug)]
struct Account {
    since: Instant,
    announced: bool,
    waiting: u32,
    running: u32,
    waited: Duration,
    ran: Duration,
    tries: u32,
    provider: Option<&'static str>,
    usage: Usage,
    wasted: Usage,
    /// What came from a checkpoint or a cache.
    recalled: bool,
    /// Money that others have paid for it.
    avoided_usd: f64,
    /// Money that earlier attempts have paid for parts of it.
    earlier_usd: f64,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Waiting,
    Running,
}

/// A call in one phase; leaves it on drop, so that dropped calls count too.
#[must_use]
pub(crate) struct InPhase<'ledger> {
    ledger: &'ledger Ledger,
    stage: StageName,
    phase: Phase,
}

impl Ledger {
    /// Notes that `stage` has been announced; true the first time.
    pub(crate) fn announce(&self, stage: StageName) -> bool {
        let mut accounts = self.accounts();
        !std::mem::replace(&mut accounts.entry(stage).or_default().announced, true)
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

    pub(crate) fn used(&self, stage: StageName, usage: &Usage) {
        self.accounts().entry(stage).or_default().usage.merge(usage);
    }

    pub(crate) fn wasted(&self, stage: StageName, usage: &Usage) {
        self.accounts().entry(stage).or_default().wasted.merge(usage);
    }

    /// A result came from a checkpoint or a cache; `avoided_usd` is what it cost another job.
    pub(crate) fn recalled(&self, stage: StageName, provider: &'static str, avoided_usd: f64) {
        let mut accounts = self.accounts();
        let account = accounts.entry(stage).or_default();
        account.recalled = true;
        account.provider.get_or_insert(provider);
        account.avoided_usd += avoided_usd;
    }

    /// An earlier attempt has paid for a part of what `stage` gives.
    pub(crate) fn paid_before(&self, stage: StageName, usd: f64) {
        self.accounts().entry(stage).or_default().earlier_usd += usd;
    }

    /// Money that what `stage` gave has cost this job and others.
    pub(crate) fn price(&self, stage: StageName) -> f64 {
        let price =
            |account: &Account| account.usage.usd() + account.avoided_usd + account.earlier_usd;
        self.accounts().get(&stage).map_or(0.0, price)
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
        let account = accounts.get_mut(&stage)?;
        account.settle();
        Some(account.record(stage))
    }

    /// The records of all stages that have begun, in travel order.
    pub(crate) fn records(&self) -> Vec<StageRecord> {
        StageName::ALL.into_iter().filter_map(|stage| self.record(stage)).collect()
    }

    fn enter(&self, stage: StageName, phase: Phase) -> InPhase<'_> {
        self.shift(stage, phase, 1);
        InPhase { ledger: self, stage, phase }
    }

    fn shift(&self, stage: StageName, phase: Phase, by: i32) {
        let mut accounts = self.accounts();
        let account = accounts.entry(stage).or_default();
        account.settle();
        let count = match phase {
            Phase::Waiting => &mut account.waiting,
            Phase::Running => &mut account.running,
        };
        *count = count.saturating_add_signed(by);
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<StageName, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InPhase<'_> {
    fn drop(&mut self) {
        self.ledger.shift(self.stage, self.phase, -1);
    }
}

impl Account {
    /// Books the time since the last change.
    fn settle(&mut self) {
        let now = Instant::now();
        let passed = now.duration_since(self.since);
        self.since = now;
        match (self.running, self.waiting) {
            (1.., _) => self.ran += passed,
            (0, 1..) => self.waited += passed,
            (0, 0) => {}
        }
    }

    fn record(&self, stage: StageName) -> StageRecord {
        StageRecord {
            stage,
            wait_s: seconds(self.waited),
            run_s: seconds(self.ran),
            tries: self.tries,
            cached: self.recalled && self.tries == 0,
            provider: self.provider.map(str::to_owned),
            resources: self.resources(),
        }
    }

    /// What was used, and the money that was lost.
    fn resources(&self) -> BTreeMap<String, f64> {
        let mut resources = self.usage.to_resources();
        if self.wasted.usd() > 0.0 {
            resources.insert("wasted_usd".to_owned(), self.wasted.usd());
        }
        resources
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            announced: false,
            waiting: 0,
            running: 0,
            waited: Duration::ZERO,
            ran: Duration::ZERO,
            tries: 0,
            provider: None,
            usage: Usage::default(),
            wasted: Usage::default(),
            recalled: false,
            avoided_usd: 0.0,
            earlier_usd: 0.0,
        }
    }
}

/// Seconds to the millisecond: more digits would only make records longer.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
