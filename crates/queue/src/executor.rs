//! One claimed job becomes one attempt, and one report.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use apalis::prelude::Task;
use futures::FutureExt;
use stillcast_enqueue::ErrorReport;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use crate::breaker::{Breaker, Change};
use crate::consumer::Handler;
use crate::event::{Event, Observer};
use crate::lease::Lease;
use crate::link::Link;
use crate::{Interrupted, Limits, Outcome, Report, Reported, owned};

/// A job, leased, with the slot it runs in.
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    /// Given back when the report is through.
    pub(crate) slot: OwnedSemaphorePermit,
}

/// What every attempt of a worker shares.
pub(crate) struct Executor {
    pub(crate) handler: Arc<dyn Handler>,
    pub(crate) observer: Arc<dyn Observer>,
    /// Longest attempt, each anew.
    pub(crate) budget: Duration,
    /// First and longest back-off between two attempts of a job.
    pub(crate) backoff: (Duration, Duration),
    pub(crate) limits: Limits,
    /// Hears how each attempt ended.
    pub(crate) breaker: Arc<Breaker>,
}

/// The service under apalis' worker: each attempt in a task of its own, which dies with its caller.
#[derive(Clone)]
pub(crate) struct AttemptService(pub(crate) Arc<Executor>);

impl tower::Service<Task<Claimed>> for AttemptService {
    type Response = ();
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<(), Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Claimed>) -> Self::Future {
        let attempts = Arc::clone(&self.0);
        let claimed = task.args;
        let span = tracing::info_span!(
            "attempt",
            job.id = claimed.lease.id(),
            job.attempt = claimed.lease.attempt()
        );
        let running = owned::spawn(async move { attempts.run(claimed).await }.instrument(span));
        // The attempt catches its handler's panics; its own end is all that counts here.
        Box::pin(running.map(|_| Ok(())))
    }
}

impl Executor {
    async fn run(&self, claimed: Claimed) {
        let Claimed { lease, slot } = claimed;
        let began = Instant::now();
        if let Some(state) = self.work_and_report(&lease).await {
            self.observer.observe(&Event::Reported { state, after: began.elapsed() });
        }
        lease.end();
        drop(slot);
    }

    /// The state after the report, or nothing when the lease was no longer ours.
    async fn work_and_report(&self, lease: &Lease) -> Option<String> {
        loop {
            let report = match self.begin(lease).await {
                Ok(()) => self.work(lease).await,
                Err(why) => self.interrupted(lease, why),
            };
            // Whatever ended the handler, what it has booked was paid.
            let report =
                Report { cost: report.cost.or_else(|| lease.state.cost.total()), ..report };
            // Before the slot is free again.
            if let Some(change) = self.breaker.ended(lease.id(), &report) {
                self.observer.observe(&Event::Breaker { is_open: change == Change::Opened });
            }
            match self.report(lease, &report).await {
                Reported::Accepted(state) => return Some(state),
                Reported::Stale => {
                    self.observer.observe(&Event::StaleReport);
                    return None;
                }
                // A flight to wait for is down already: the handler goes on from its checkpoints.
                Reported::GoOn => lease.state.cost.carry_over(),
            }
        }
    }

    async fn begin(&self, lease: &Lease) -> Result<(), Interrupted> {
        lease.check()?;
        tokio::select! {
            begun = lease.begin() => begun,
            why = lease.interrupted() => Err(why),
        }
    }

    /// Runs the handler until it answers, must stop, panics or has had its time.
    async fn work(&self, lease: &Lease) -> Report {
        let handler = AssertUnwindSafe(self.handler.attempt(lease.clone())).catch_unwind();
        tokio::select! {
            answer = handler => answer.unwrap_or_else(|_| self.panicked(lease)),
            why = lease.interrupted() => self.interrupted(lease, why),
            () = tokio::time::sleep(self.budget) => self.out_of_time(lease),
        }
    }

    fn interrupted(&self, lease: &Lease, why: Interrupted) -> Report {
        tracing::info!(job.id = lease.id(), %why, "attempt interrupted");
        if why == Interrupted::LeaseLost {
            self.observer.observe(&Event::LeaseLost);
        }
        Outcome::Release.into()
    }

    fn panicked(&self, lease: &Lease) -> Report {
        tracing::error!(job.id = lease.id(), "attempt panicked");
        self.observer.observe(&Event::Panicked);
        let message = "the worker's code panicked; its log holds the place".to_owned();
        Outcome::Retry { after: None, error: ErrorReport::new("panic", message) }.into()
    }

    fn out_of_time(&self, lease: &Lease) -> Report {
        tracing::error!(job.id = lease.id(), "attempt exceeded its time budget");
        let message = format!(
            "the attempt took longer than its budget of {} s; raise CONTENT_GENERATION_TIMEOUT \
             or the time-outs of encode and upload",
            self.budget.as_secs()
        );
        Outcome::Retry { after: None, error: ErrorReport::new("attempt-timeout", message) }.into()
    }

    /// Repeats until Redis has answered, however long that takes; renewal goes on beside it.
    async fn report(&self, lease: &Lease, report: &Report) -> Reported {
        lease.state.renew_for_report();
        // Whether that lost the lease, the report will be told.
        let _ = lease.confirm_checkpoints().await;
        let (id, token) = (lease.id(), lease.token());
        let delay = self.backoff_after(lease.attempt());
        lease
            .repeat(|mut link: Link| async move {
                let connection = &mut link.connection;
                link.scripts.report(connection, id, token, report, delay, &self.limits).await
            })
            .await
    }

    /// Full jitter: anything from nothing to the doubled back-off, so that a herd spreads.
    fn backoff_after(&self, attempt: u32) -> Duration {
        let (first, longest) = self.backoff;
        let doubled = first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(20)));
        doubled.min(longest).mul_f64(fastrand::f64())
    }
}
