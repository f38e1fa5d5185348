//! The end of a consumer: a claimer and running attempts go in; once they have ended, or have been
//! stopped at the deadline, nothing of this worker is left in the queue.

use std::pin::pin;
use std::time::Duration;

use super::role::Running;
use super::shared::Shared;
use super::shutdown::{Shutdown, Stopped};
use crate::link::Link;
use crate::{Interrupted, Outcome, Report};

/// How long attempts that were stopped at the drain's deadline have for their reports.
const LAST_REPORTS_TIMEOUT: Duration = Duration::from_secs(1);

/// Waits for the end, and tidies up behind it.
pub(crate) struct Drain {
    shared: Shared,
    shutdown: Shutdown,
}

impl Drain {
    pub(crate) fn new(shared: Shared, shutdown: Shutdown) -> Self {
        Self { shared, shutdown }
    }

    /// Waits until the claimer has ended, then for the attempts, at the latest until the deadline.
    pub(crate) async fn see_out(
        &self,
        mut claimer: Running<Stopped>,
        mut attempts: Running,
    ) -> Stopped {
        let in_time = {
            let mut ends = pin!(self.ends(&mut claimer, &mut attempts));
            tokio::select! {
                stopped = &mut ends => Some(stopped),
                () = self.deadline() => self.last_reports(ends).await,
            }
        };
        if let Some(stopped) = in_time {
            return stopped;
        }
        claimer.stop().await;
        attempts.stop().await;
        self.release_all().await;
        Stopped::Drained
    }

    async fn ends(&self, claimer: &mut Running<Stopped>, attempts: &mut Running) -> Stopped {
        let stopped = claimer.ended().await.expect("a panic of the claimer is the consumer's own");
        self.announce(stopped).await;
        attempts.ended().await;
        stopped
    }

    /// From here on no paid call begins, and whatever dies with this process is no crash.
    async fn announce(&self, stopped: Stopped) {
        let Shared { leases, health, .. } = &self.shared;
        health.start_drain();
        leases.start_drain();
        tracing::info!(?stopped, running = leases.len(), "draining");
        self.tell_queue("leaving", "announcing the drain failed").await;
    }

    async fn deadline(&self) {
        self.shutdown.begun().await;
        tokio::select! {
            () = self.shutdown.at_once() => {}
            () = tokio::time::sleep(self.shared.options.drain_timeout) => {}
        }
    }

    /// The running attempts must stop; most can say at once what they have cost.
    async fn last_reports<T>(&self, ends: impl Future<Output = T>) -> Option<T> {
        self.shared.leases.interrupt_all(Interrupted::Draining);
        tokio::time::timeout(LAST_REPORTS_TIMEOUT, ends).await.ok()
    }

    /// The jobs of attempts that were dropped are given back here.
    async fn release_all(&self) {
        let Shared { link, options, .. } = &self.shared;
        for lease in self.shared.leases.all() {
            let report = Report { cost: lease.cost.total(), ..Outcome::Release.into() };
            let calls = link.lease(&lease.id, &lease.token);
            if let Err(error) = calls.report(&report, Duration::ZERO, &options.limits).await {
                tracing::warn!(job.id = lease.id, %error, "release failed; the lease will expire");
            }
        }
    }

    /// This worker is gone. To be called when nothing more can write under its name.
    pub(crate) async fn leave(&self) {
        self.tell_queue("gone", "deregistering the worker failed").await;
    }

    async fn tell_queue(&self, step: &str, failed: &str) {
        let Link { scripts, mut connection, .. } = self.shared.link.clone();
        let worker = &self.shared.options.worker;
        if let Err(error) = scripts.drain(&mut connection, worker, step).await {
            tracing::warn!(%error, "{failed}");
        }
    }
}
