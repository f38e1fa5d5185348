//! The loop that claims: free slots, then a job for each, then their leases on the way to attempts.

use std::sync::Arc;
use std::time::Duration;

use stillcast_enqueue::connection::{SharedConnection, is_unserved, pause};
use stillcast_enqueue::{DecodeError, Envelope, ErrorReport, StageName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::claimed::Claimed;
use super::role::Running;
use super::shared::Shared;
use super::shutdown::{Shutdown, Stopped};
use super::wake::Wake;
use crate::clock::Moment;
use crate::event::Event;
use crate::lease::Lease;
use crate::lease_state::{Bounds, LeaseState, valid_until};
use crate::scripts::probe_calls::ProbeStep;
use crate::scripts::worker_calls::ClaimRequest;
use crate::{ClaimedJob, Claims, Idle, Outcome, ParkReason, QueueError, Report};

/// Longest wait for the wake marker: whatever was missed is seen within it.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// How long a job in a newer envelope waits for a newer worker.
const NEWER_ENVELOPE_WAIT: Duration = Duration::from_secs(30);

/// Most slots for which one call claims: what its script takes.
const SLOTS_A_CLAIM: usize = 20;

/// The loop that claims: slots, then a job for each.
pub(crate) struct Claimer {
    shared: Shared,
    shutdown: Shutdown,
    claims: mpsc::Sender<Claimed>,
    slots: Arc<Semaphore>,
    wake: Wake,
    connection: SharedConnection,
}

impl Claimer {
    /// Starts claiming; ends when the drain begins, or once nothing is left to do.
    pub(crate) fn start(
        shared: &Shared,
        claims: mpsc::Sender<Claimed>,
        shutdown: Shutdown,
    ) -> Running<Stopped> {
        let patience = (shared.options.lease_ttl / 3).min(MAX_WAIT);
        let claimer = Self {
            slots: Arc::new(Semaphore::new(shared.options.slots)),
            wake: Wake::start(shared.options.endpoint.clone(), MAX_WAIT, patience),
            connection: shared.link.connection.clone(),
            shared: shared.clone(),
            shutdown,
            claims,
        };
        Running::task(claimer.run())
    }

    async fn run(mut self) -> Stopped {
        self.tell_probes(None, ProbeStep::Begun).await;
        loop {
            let Some(slot) = self.free_slot().await else { return Stopped::Drained };
            if self.turning(self.shared.breaker.may_claim()).await.is_none() {
                return Stopped::Drained;
            }
            if !self.fleet_lets_in().await {
                continue;
            }
            // An open claim is always completed: its job would wait for its lease to run out.
            let slots = self.with_others(slot);
            match self.claim(slots.len()).await {
                (Claims::Jobs(jobs), sent) => {
                    for (job, slot) in jobs.into_iter().zip(slots) {
                        self.accept(job, sent, slot).await;
                    }
                }
                (Claims::Nothing { why, next_due }, _) => {
                    drop(slots);
                    self.give_probe_back().await;
                    if let Some(stopped) = self.is_finished(why).await {
                        return stopped;
                    }
                    self.wait(next_due).await;
                }
            }
            if self.shutdown.has_begun() {
                return Stopped::Drained;
            }
        }
    }

    /// Whether the next claim is none behind an open breaker, or is the fleet's next probe of it. A
    /// Redis that does not answer is the claim's to find out.
    async fn fleet_lets_in(&mut self) -> bool {
        let Shared { breaker, link, options, .. } = &self.shared;
        let Some(stage) = breaker.probes() else { return true };
        let (first, step) = (options.limits.probe_interval, ProbeStep::May);
        let asked = link.scripts.probe(&mut self.connection, stage, step, first).await;
        let wait = asked.unwrap_or_default();
        if wait.is_zero() {
            return true;
        }
        breaker.postpone(wait);
        false
    }

    /// There was no job to probe with: the fleet's next probe is anybody's.
    async fn give_probe_back(&mut self) {
        if let Some(stage) = self.shared.breaker.probes() {
            self.tell_probes(stage, ProbeStep::Unmet).await;
        }
    }

    async fn tell_probes(&mut self, stage: Option<StageName>, step: ProbeStep) {
        let Shared { link, options, .. } = &self.shared;
        let first = options.limits.probe_interval;
        if let Err(error) = link.scripts.probe(&mut self.connection, stage, step, first).await {
            tracing::warn!(%error, ?step, "the fleet was not told of a probe");
        }
    }

    /// Waits for a slot; a worker with all slots full is alive too.
    async fn free_slot(&self) -> Option<OwnedSemaphorePermit> {
        self.turning(Arc::clone(&self.slots).acquire_owned()).await?.ok()
    }

    /// This slot and all others that are free now; behind an open breaker it alone.
    fn with_others(&self, slot: OwnedSemaphorePermit) -> Vec<OwnedSemaphorePermit> {
        let most = if self.shared.breaker.refused_at().is_some() { 1 } else { SLOTS_A_CLAIM };
        let mut slots = vec![slot];
        while slots.len() < most
            && let Ok(another) = Arc::clone(&self.slots).try_acquire_owned()
        {
            slots.push(another);
        }
        slots
    }

    /// Waits, and shows that it lives; `None` when the drain begins.
    async fn turning<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(wait);
        loop {
            self.shared.health.turn();
            tokio::select! {
                biased;
                () = self.shutdown.begun() => return None,
                done = &mut wait => return Some(done),
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Repeats one claim, by its nonce, until Redis answers. Answers the moment of the first sending.
    async fn claim(&mut self, free: usize) -> (Claims, Moment) {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let Shared { options, link, leases, health, .. } = &self.shared;
        let sent = Moment::now();
        for tries in 0.. {
            health.turn();
            let request = ClaimRequest {
                worker: &options.worker,
                nonce: &nonce,
                lease_ttl: options.lease_ttl,
                held: leases.len(),
            };
            match link.scripts.claim_many(&mut self.connection, &request, free).await {
                Ok(claims) => {
                    health.answer();
                    return (claims, sent);
                }
                // Whoever watches the connection tells of an outage, once.
                Err(QueueError::Redis(error)) if is_unserved(&error) => {}
                Err(error) if tries == 0 => tracing::warn!(%error, "claim failed, retrying"),
                Err(error) => tracing::debug!(%error, "claim failed, retrying"),
            }
            tokio::time::sleep(pause(tries)).await;
        }
        unreachable!("a claim is repeated until Redis answers")
    }

    async fn accept(&mut self, job: ClaimedJob, sent: Moment, slot: OwnedSemaphorePermit) {
        match Envelope::decode(&job.body) {
            Ok(envelope) => {
                let lease = self.lease(job, envelope, sent);
                self.observe_wait(&lease);
                self.shared.breaker.claimed(lease.id());
                // The receiver lives as long as this loop.
                let _ = self.claims.send(Claimed { lease, sent, slot }).await;
            }
            Err(error) => self.refuse(&job, &error).await,
        }
    }

    fn lease(&self, job: ClaimedJob, envelope: Envelope, sent: Moment) -> Lease {
        let options = &self.shared.options;
        let now = Moment::now();
        let bounds = Bounds {
            valid_until: valid_until(sent, options.lease_ttl),
            renew_until: now + options.attempt_budget + options.lease_ttl,
            deadline: now + job.remaining,
        };
        let state = LeaseState::new(job.id, job.token, &bounds);
        let (table, link) = (Arc::clone(&self.shared.leases), self.shared.link.clone());
        Lease::new(envelope, job.hash, state, table, link)
    }

    fn observe_wait(&self, lease: &Lease) {
        let now = chrono::Utc::now().timestamp_millis();
        let waited = lease.ready_ms().and_then(|ready| u64::try_from(now - ready).ok());
        let waited = Duration::from_millis(waited.unwrap_or_default());
        self.shared.observe(&Event::Claimed { waited });
    }

    /// A request that this worker cannot read never reaches an attempt.
    async fn refuse(&mut self, job: &ClaimedJob, error: &DecodeError) {
        let code = if matches!(error, DecodeError::Newer { .. }) { "version" } else { "poison" };
        let error = ErrorReport::new(code, error.to_string());
        tracing::error!(job.id, error.message, "undecodable request");
        let outcome = if code == "version" {
            let reason = ParkReason::Version;
            Outcome::Park { reason, wake: NEWER_ENVELOPE_WAIT, error: Some(error) }
        } else {
            self.shared.observe(&Event::Poison);
            Outcome::Dead { error }
        };
        let (report, limits) = (Report::from(outcome), &self.shared.options.limits);
        let calls = self.shared.link.lease(&job.id, &job.token);
        let sent = calls.report(&report, Duration::ZERO, limits).await;
        if let Err(error) = sent {
            tracing::warn!(job.id, %error, "report failed; the lease will expire");
        }
    }

    /// Until the marker comes, something that waits is due, or there is anything at all that a claim
    /// would find.
    async fn wait(&mut self, next_due: Option<Duration>) {
        let mut limit = next_due.map_or(MAX_WAIT, |due| due.min(MAX_WAIT));
        loop {
            self.shared.health.turn();
            tokio::select! {
                is_woken = self.wake.wait(limit) => {
                    if is_woken || !self.is_deserted().await {
                        return;
                    }
                }
                () = self.shutdown.begun() => return,
            }
            limit = MAX_WAIT;
        }
    }

    /// Whether a claim could find nothing, by one command. Whoever ends with the queue claims all the
    /// same, and a Redis that does not answer is the claim's to find out.
    async fn is_deserted(&mut self) -> bool {
        let Shared { link, options, .. } = &self.shared;
        if options.until_empty {
            return false;
        }
        let asked = link.scripts.claimable(&mut self.connection).await;
        asked.is_ok_and(|claimable| !claimable)
    }

    /// For `until_empty`: nothing ready, parked, leased, or delayed and due.
    async fn is_finished(&mut self, why: Idle) -> Option<Stopped> {
        if !self.shared.options.until_empty {
            return None;
        }
        let stats = self.shared.link.scripts.stats(&mut self.connection).await.ok()?;
        match (stats.unfinished(), why) {
            (0, _) => Some(Stopped::Empty),
            (_, Idle::Paused) => Some(Stopped::Paused),
            _ => None,
        }
    }
}
