//! One claimed job becomes one attempt, and one report.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use stillcast_enqueue::{ErrorReport, StageName, State};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tracing::Instrument;

use super::begins::Begins;
use super::breaker::Change;
use super::claimed::Claimed;
use super::ended::{Answered, Ended};
use super::handler::{Handler, NewLease};
use super::role::Running;
use super::shared::Shared;
use crate::clock::Moment;
use crate::event::Event;
use crate::lease::Lease;
use crate::scripts::probe_calls::{LONGEST_PAUSE, ProbeStep};
use crate::{Interrupted, Outcome, Report, Reported};

/// What every attempt of a worker shares.
pub(crate) struct Executor {
    shared: Shared,
    handler: Arc<dyn Handler>,
    begins: Begins,
    /// To the claimer, which reports and claims in one call.
    ended: mpsc::Sender<Ended>,
}

/// What became of a report; the slot where the attempt goes on, and where nobody has taken it.
type Answer = (Reported, Option<OwnedSemaphorePermit>);

impl Executor {
    pub(crate) fn new(
        shared: Shared,
        handler: Arc<dyn Handler>,
        begins: Begins,
        ended: mpsc::Sender<Ended>,
    ) -> Self {
        Self { shared, handler, begins, ended }
    }

    /// Whose attempts these are.
    pub(crate) fn worker(&self) -> &str {
        &self.shared.options.worker
    }

    /// Starts the attempt of one job.
    pub(crate) fn start(self: Arc<Self>, claimed: Claimed) -> Running {
        let span = tracing::info_span!(
            "attempt",
            job.id = claimed.lease.id(),
            job.attempt = claimed.lease.attempt()
        );
        Running::task(async move { self.run(claimed).await }.instrument(span))
    }

    async fn run(&self, claimed: Claimed) {
        let Claimed { lease, sent, slot } = claimed;
        let began = Instant::now();
        let state = self.work_and_report(&lease, sent, slot).await;
        lease.end();
        if let Some(state) = state {
            self.shared.observe(&Event::Reported { state, after: began.elapsed() });
        }
    }

    /// Counts the attempt for the queue's history: `after` the claim was sent it has given its slot back.
    fn tally(&self, lease: &Lease, report: &Report, state: &str, after: Duration) {
        let (state, tally) = (State::parse(state), &self.shared.options.tally);
        if state == Some(State::Done) {
            let stages = report.stages.as_deref().unwrap_or_default();
            tally.delivered(lease.envelope().format, after, stages);
        }
        tally.attempt_ended(state, &lease.state.cost.of_attempt());
    }

    /// The state after the report, or nothing when the lease was no longer ours.
    async fn work_and_report(
        &self,
        lease: &Lease,
        sent: Moment,
        slot: OwnedSemaphorePermit,
    ) -> Option<String> {
        let mut slot = Some(slot);
        loop {
            let report = match lease.check() {
                Ok(()) => self.work(lease).await,
                Err(why) => self.interrupted(lease, why),
            };
            // Whatever ended the handler, what it has booked was paid.
            let report =
                Report { cost: report.cost.or_else(|| lease.state.cost.total()), ..report };
            // Before the slot is free again.
            let report = match self.judge(lease, &report).await {
                // Beyond the longest pause a job waits as ready: a new worker may take it.
                Some(next_probe) => report.parked_until(next_probe.min(LONGEST_PAUSE)),
                None => report,
            };
            let report = Arc::new(report);
            let reported;
            (reported, slot) = self.report(lease, &report, slot).await;
            match reported {
                Reported::Accepted(state) => {
                    self.tally(lease, &report, &state, Moment::now().saturating_since(sent));
                    return Some(state);
                }
                Reported::Stale => {
                    self.shared.observe(&Event::StaleReport);
                    return None;
                }
                // A flight to wait for is down already: the handler goes on from its checkpoints.
                Reported::GoOn => lease.state.cost.carry_over(),
            }
        }
    }

    /// Opens, keeps or closes the breaker, and tells the fleet. Behind a refusal, the time until the
    /// fleet's next probe comes out.
    async fn judge(&self, lease: &Lease, report: &Report) -> Option<Duration> {
        let Shared { breaker, link, options, .. } = &self.shared;
        let before = breaker.refused_at();
        let change = breaker.ended(lease.id(), report)?;
        match change {
            Change::Opened => self.shared.observe(&Event::Breaker { is_open: true }),
            Change::Closed | Change::Forgotten => {
                self.shared.observe(&Event::Breaker { is_open: false });
            }
            Change::Refused | Change::Unmet => {}
        }
        let (stage, step) = match change {
            Change::Opened | Change::Refused => {
                let stage = breaker.refused_at();
                (stage, ProbeStep::Refused { calls: refused_calls(stage.flatten(), report) })
            }
            Change::Unmet => (before, ProbeStep::Unmet),
            Change::Closed => (before, ProbeStep::Accepted),
            Change::Forgotten => return None,
        };
        let (stage, mut connection) = (stage?, link.connection.clone());
        let first = options.limits.probe_interval;
        match link.scripts.probe(&mut connection, stage, step, first).await {
            Ok(wait) if matches!(step, ProbeStep::Refused { .. }) => {
                breaker.postpone(wait);
                return Some(wait);
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the fleet was not told of a refusal or its end"),
        }
        None
    }

    /// Runs the handler until it answers, must stop, panics or has had its time.
    async fn work(&self, lease: &Lease) -> Report {
        let new = NewLease::new(lease.clone(), self.begins.clone());
        let handler = AssertUnwindSafe(self.handler.attempt(new)).catch_unwind();
        tokio::select! {
            answer = handler => answer.unwrap_or_else(|_| self.panicked(lease)),
            why = lease.interrupted() => self.interrupted(lease, why),
            () = tokio::time::sleep(self.budget(lease)) => self.out_of_time(lease),
        }
    }

    fn interrupted(&self, lease: &Lease, why: Interrupted) -> Report {
        tracing::info!(job.id = lease.id(), %why, "attempt interrupted");
        if why == Interrupted::LeaseLost {
            self.shared.observe(&Event::LeaseLost);
        }
        Outcome::Release.into()
    }

    fn panicked(&self, lease: &Lease) -> Report {
        tracing::error!(job.id = lease.id(), "attempt panicked");
        self.shared.observe(&Event::Panicked);
        let message = "the worker's code panicked; its log holds the place".to_owned();
        Outcome::Retry { after: None, error: ErrorReport::new("panic", message) }.into()
    }

    fn out_of_time(&self, lease: &Lease) -> Report {
        tracing::error!(job.id = lease.id(), "attempt exceeded its time budget");
        let message = format!(
            "the attempt took longer than its budget of {} s; raise CONTENT_GENERATION_TIMEOUT \
             or the time-outs of encode and upload",
            self.budget(lease).as_secs()
        );
        Outcome::Retry { after: None, error: ErrorReport::new("attempt-timeout", message) }.into()
    }

    /// Until Redis has answered, however long that takes; renewal goes on beside it.
    async fn report(
        &self,
        lease: &Lease,
        report: &Arc<Report>,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Answer {
        lease.state.renew_for_report();
        // Whether that lost the lease, the report will be told.
        let _ = lease.confirm_checkpoints().await;
        let backoff = self.backoff_after(lease.attempt());
        let slot = match slot {
            Some(slot) => match self.hand_over(lease, report, backoff, slot).await {
                Ok(answer) => return answer,
                Err(slot) => slot,
            },
            None => None,
        };
        let limits = &self.shared.options.limits;
        (lease.repeat(|calls| calls.report(report, backoff, limits)).await, slot)
    }

    /// To the claimer. The slot comes back where that has left the report to this one, or is gone.
    async fn hand_over(
        &self,
        lease: &Lease,
        report: &Arc<Report>,
        backoff: Duration,
        slot: OwnedSemaphorePermit,
    ) -> Result<Answer, Option<OwnedSemaphorePermit>> {
        let (answer, answered) = oneshot::channel();
        let (id, token) = (lease.id().to_owned(), lease.token().to_owned());
        let ended = Ended { id, token, report: Arc::clone(report), backoff, slot, answer };
        if let Err(unsent) = self.ended.send(ended).await {
            return Err(Some(unsent.0.slot));
        }
        match answered.await {
            Ok(Answered::Reported(reported, slot)) => Ok((reported, slot)),
            Ok(Answered::Alone(slot)) => Err(Some(slot)),
            Err(_) => Err(None),
        }
    }

    /// The longest attempt, each anew.
    fn budget(&self, lease: &Lease) -> Duration {
        (self.shared.options.attempt_budget)(lease.envelope())
    }

    /// Full jitter: anything from nothing to the doubled back-off, so that a herd spreads.
    fn backoff_after(&self, attempt: u32) -> Duration {
        let (first, longest) = self.shared.options.backoff;
        let doubled = first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(20)));
        doubled.min(longest).mul_f64(fastrand::f64())
    }
}

/// The calls of `stage` by which an attempt found out that it is refused: an answer that was paid for and
/// cannot be read is asked for once more.
fn refused_calls(stage: Option<StageName>, report: &Report) -> u32 {
    let records = report.stages.as_deref().unwrap_or_default();
    let record = records.iter().find(|record| Some(record.stage) == stage);
    record.map_or(1, |record| record.tries.clamp(1, 2))
}
