//! The account of one stage: what its calls did goes in, its record comes out.

use std::collections::BTreeMap;
use std::time::Duration;

use stillcast_enqueue::{StageName, StageRecord};
use tokio::time::Instant;

use crate::Usage;

/// A stage may have many calls under way; a second counts once, as run when any call runs, as
/// wait when none runs and one waits for its slot. Back-off is neither.
#[derive(Debug)]
pub(super) struct Account {
    since: Instant,
    /// When the first call came, and when the last one left.
    began: Option<Instant>,
    ended: Option<Instant>,
    pub(super) announced: bool,
    waiting: u32,
    running: u32,
    waited: Duration,
    ran: Duration,
    pub(super) tries: u32,
    pub(super) provider: Option<&'static str>,
    pub(super) usage: Usage,
    pub(super) wasted: Usage,
    /// What came from a checkpoint or a cache.
    pub(super) recalled: bool,
    /// Money that others have paid for it.
    pub(super) avoided_usd: f64,
    /// Money that earlier attempts have paid for parts of it.
    pub(super) earlier_usd: f64,
}

/// Where a call is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Waiting,
    Running,
}

impl Account {
    /// A call enters (`by` 1) or leaves (-1) a phase.
    pub(super) fn shift(&mut self, phase: Phase, by: i32) {
        self.settle();
        self.began.get_or_insert(self.since);
        self.ended = Some(self.since);
        let count = match phase {
            Phase::Waiting => &mut self.waiting,
            Phase::Running => &mut self.running,
        };
        *count = count.saturating_add_signed(by);
    }

    /// Money that what the stage gave has cost this job and others, in US dollars.
    pub(super) fn price(&self) -> f64 {
        self.usage.usd() + self.avoided_usd + self.earlier_usd
    }

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

    /// The record of an attempt that began at `attempt`.
    pub(super) fn record(&mut self, stage: StageName, attempt: Instant) -> StageRecord {
        self.settle();
        if self.waiting + self.running > 0 {
            self.ended = Some(self.since);
        }
        let since = |moment: Option<Instant>| Some(seconds(moment?.duration_since(attempt)));
        StageRecord {
            stage,
            began_s: since(self.began),
            ended_s: since(self.ended),
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
            began: None,
            ended: None,
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
