//! Attempts that a provider refused go in; when the next job may be claimed comes out.
//!
//! A job that parks for `provider` says that this worker's account or set-up is at fault, and that
//! every other job would meet the same. The breaker opens: nothing is claimed but one probe job at a
//! time, until one is let in where the last was refused. When the next one may go the whole fleet
//! agrees on (`lua/probe.lua`); a worker asks each interval. What runs already goes on.

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{ErrorReport, StageName, StageRecord};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::{Outcome, ParkReason, Report};

/// A refusal that no probe has met for so many intervals is over: its job has gone elsewhere.
const FORGOTTEN_AFTER: u32 = 2;

/// Closed, or open since a refusal.
pub(crate) struct Breaker {
    interval: Duration,
    refused: Mutex<Option<Refused>>,
    changed: Notify,
}

/// What the end of an attempt did to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A refusal, before which there was none.
    Opened,
    /// The probe was refused.
    Refused,
    /// The probe ended before anybody could tell.
    Unmet,
    /// The probe was let in.
    Closed,
    /// Nobody has met the refusal for long: this worker claims again, and the fleet's pace stays.
    Forgotten,
}

/// An open breaker.
struct Refused {
    /// When the next probe may be claimed.
    again: Instant,
    /// The job that probes.
    probe: Option<String>,
    /// When a job was last refused.
    last: Instant,
    /// Who refused it, and at which stage.
    error: Option<ErrorReport>,
}

impl Refused {
    fn now(error: Option<&ErrorReport>, interval: Duration) -> Self {
        let now = Instant::now();
        Self { again: now + interval, probe: None, last: now, error: error.cloned() }
    }

    fn stage(&self) -> Option<StageName> {
        self.error.as_ref().and_then(|error| error.stage)
    }

    /// Whether a job that was delivered was let in where the last one was refused. A copy from the
    /// cache, and a job without that stage, have asked nobody.
    fn is_disproved_by(&self, stages: Option<&[StageRecord]>) -> bool {
        let (Some(error), Some(stages)) = (&self.error, stages) else { return true };
        let Some(stage) = error.stage else { return true };
        let asked = |record: &StageRecord| {
            record.stage == stage && record.provider == error.provider && record.tries > 0
        };
        stages.iter().any(asked)
    }
}

impl Breaker {
    /// A closed breaker; open, it lets a job through each `interval`.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, refused: Mutex::default(), changed: Notify::new() }
    }

    /// Returns when a job may be claimed; cancel-safe.
    pub(crate) async fn may_claim(&self) {
        loop {
            let changed = self.changed.notified();
            let again = match &*self.refused() {
                None => return,
                Some(Refused { probe: Some(_), .. }) => None,
                Some(Refused { again, .. }) if *again <= Instant::now() => return,
                Some(Refused { again, .. }) => Some(*again),
            };
            let due = async {
                match again {
                    Some(again) => sleep_until(again).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { () = changed => {}, () = due => {} }
        }
    }

    /// The stage that refused, where the next claim would be its probe: then the fleet is asked.
    #[expect(clippy::option_option, reason = "a refusal may come without its stage")]
    pub(crate) fn probes(&self) -> Option<Option<StageName>> {
        let refused = self.refused();
        let open = refused.as_ref().filter(|open| open.probe.is_none())?;
        Some(open.stage())
    }

    /// The fleet's next probe is so far away. This worker asks again when it is due, and each
    /// interval: others may have been let in meanwhile, or an operator have resumed the queue.
    pub(crate) fn postpone(&self, wait: Duration) {
        if let Some(open) = &mut *self.refused() {
            open.again = Instant::now() + wait.min(self.interval);
        }
    }

    /// The stage of the last refusal, while it is open.
    #[expect(clippy::option_option, reason = "a refusal may come without its stage")]
    pub(crate) fn refused_at(&self) -> Option<Option<StageName>> {
        self.refused().as_ref().map(Refused::stage)
    }

    /// While it is open: the stage of the last refusal, and until the next probe; zero while one is
    /// under way.
    pub(crate) fn standing(&self) -> Option<(Option<StageName>, Duration)> {
        let refused = self.refused();
        let open = refused.as_ref()?;
        let wait = open.again.saturating_duration_since(Instant::now());
        Some((open.stage(), if open.probe.is_some() { Duration::ZERO } else { wait }))
    }

    /// Notes that `job` was claimed; the first one behind an open breaker is its probe.
    pub(crate) fn claimed(&self, job: &str) {
        if let Some(refused) = &mut *self.refused() {
            refused.probe.get_or_insert_with(|| job.to_owned());
        }
    }

    /// Judges how the attempt of `job` ended.
    pub(crate) fn ended(&self, job: &str, report: &Report) -> Option<Change> {
        let mut refused = self.refused();
        let change = match &mut *refused {
            None => {
                let error = refusal(report)?;
                *refused = Some(Refused::now(error, self.interval));
                self.tell_opened(error);
                Some(Change::Opened)
            }
            Some(open) if open.probe.as_deref() != Some(job) => return None,
            Some(open) => {
                let change = self.judge(open, report);
                match change {
                    Change::Closed | Change::Forgotten => *refused = None,
                    // It ended before anybody could tell: the next job probes at once.
                    Change::Unmet => (open.again, open.probe) = (Instant::now(), None),
                    Change::Opened | Change::Refused => {
                        *open = Refused::now(refusal(report).flatten(), self.interval);
                    }
                }
                Some(change)
            }
        };
        drop(refused);
        self.changed.notify_waiters();
        change
    }

    fn tell_opened(&self, error: Option<&ErrorReport>) {
        let stage = error.and_then(|error| error.stage).map(StageName::as_str);
        let code = error.map(|error| error.code.as_str());
        tracing::error!(
            stage,
            error.code = code,
            "a provider refuses this worker's account or set-up: one job of the fleet probes it, first \
             in {:?} and then less often, the others wait; mended, resume the queue to go on at once",
            self.interval
        );
    }

    /// What the probe's end says.
    fn judge(&self, open: &Refused, report: &Report) -> Change {
        match &report.outcome {
            Outcome::Park { reason: ParkReason::Provider, .. } => Change::Refused,
            Outcome::Done { .. } if open.is_disproved_by(report.stages.as_deref()) => {
                tracing::info!("the provider accepts this worker again");
                Change::Closed
            }
            Outcome::Done { .. } if open.last.elapsed() >= self.interval * FORGOTTEN_AFTER => {
                let quiet = open.last.elapsed();
                tracing::info!("no job has been refused for {quiet:?}: claiming again");
                Change::Forgotten
            }
            _ => Change::Unmet,
        }
    }

    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a job that a provider refused; `None` for every other end.
#[expect(clippy::option_option, reason = "a refusal may come without its error")]
fn refusal(report: &Report) -> Option<Option<&ErrorReport>> {
    match &report.outcome {
        Outcome::Park { reason: ParkReason::Provider, error, .. } => Some(error.as_ref()),
        _ => None,
    }
}
