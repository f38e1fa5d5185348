//! The loop that claims: free slots, then a job for each, then their leases on the way to attempts. What
//! attempts have ended with goes out by the same call that fills their slots anew.

use std::time::Duration;

use stillcast_enqueue::connection::{SharedConnection, is_unserved, pause};
use stillcast_enqueue::{DecodeError, ErrorReport, StageName};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::claimed::Claimed;
use super::ended::Ended;
use super::role::Running;
use super::shared::Shared;
use super::shutdown::{Shutdown, Stopped};
use super::vacancy::Vacancy;
use crate::clock::Moment;
use crate::event::Event;
use crate::scripts::lease_calls::Ending;
use crate::scripts::probe_calls::ProbeStep;
use crate::scripts::worker_calls::{ClaimRequest, REPORTS_A_CALL};
use crate::{ClaimedJob, Claims, Idle, Outcome, ParkReason, QueueError, Report, Reported};

/// How long a job in a newer envelope waits for a newer worker.
const NEWER_ENVELOPE_WAIT: Duration = Duration::from_secs(30);

/// How often other tasks get their turn before a report goes out: some microseconds.
const TURNS_FOR_OTHERS: usize = 3;
/// Most slots for which one call claims: what its script takes.
const SLOTS_A_CLAIM: usize = 20;

/// The loop that claims: slots, then a job for each.
pub(crate) struct Claimer {
    shared: Shared,
    shutdown: Shutdown,
    claims: mpsc::Sender<Claimed>,
    ended: mpsc::Receiver<Ended>,
    vacancy: Vacancy,
    connection: SharedConnection,
}

/// What the loop does next.
enum Turn {
    /// An attempt has ended.
    Ended(Ended),
    /// A slot may be filled.
    Slot(OwnedSemaphorePermit),
    /// The worker leaves.
    Drain,
}

/// What one call has brought.
struct Answer {
    reported: Vec<Reported>,
    claims: Option<Claims>,
    /// When it was first sent: leases begin then.
    sent: Moment,
}

impl Claimer {
    /// Starts claiming; ends when the drain begins, or once nothing is left to do. What ends afterwards
    /// its executor reports.
    pub(crate) fn start(
        shared: &Shared,
        claims: mpsc::Sender<Claimed>,
        ended: mpsc::Receiver<Ended>,
        shutdown: Shutdown,
    ) -> Running<Stopped> {
        let (vacancy, connection) = (Vacancy::new(shared), shared.link.connection.clone());
        let shared = shared.clone();
        let claimer = Self { shared, shutdown, claims, ended, vacancy, connection };
        Running::task(claimer.run())
    }

    async fn run(mut self) -> Stopped {
        self.tell_probes(None, ProbeStep::Begun).await;
        let stopped = loop {
            let stopped = match self.turn().await {
                Turn::Ended(ended) => self.give_back(ended).await,
                Turn::Slot(slot) => self.fill(slot).await,
                Turn::Drain => Some(Stopped::Drained),
            };
            if let Some(stopped) = stopped {
                break stopped;
            }
        };
        self.ended.close();
        while let Some(ended) = self.ended.recv().await {
            ended.alone();
        }
        stopped
    }

    /// Waits, and shows that it lives; a worker with all slots full is alive too.
    async fn turn(&mut self) -> Turn {
        loop {
            self.shared.health.turn();
            tokio::select! {
                biased;
                () = self.shutdown.begun() => return Turn::Drain,
                Some(ended) = self.ended.recv() => return Turn::Ended(ended),
                slot = self.vacancy.slot() => return Turn::Slot(slot),
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Reports this attempt and what else has ended by now, and claims for their slots.
    async fn give_back(&mut self, first: Ended) -> Option<Stopped> {
        let mut ended = vec![first];
        // What ends at the same moment goes out with it.
        for _ in 0..TURNS_FOR_OTHERS {
            tokio::task::yield_now().await;
        }
        while ended.len() < REPORTS_A_CALL
            && let Ok(another) = self.ended.try_recv()
        {
            ended.push(another);
        }
        let mut free = Vec::new();
        let freed = ended.iter().filter(|ended| ended.frees_its_slot()).count();
        let is_open = self.shared.breaker.refused_at().is_some();
        let wanted = if is_open || self.vacancy.is_idle() {
            0
        } else {
            self.vacancy.add_free(&mut free, SLOTS_A_CLAIM.saturating_sub(freed));
            (freed + free.len()).min(SLOTS_A_CLAIM)
        };
        match self.call(&ended, wanted).await {
            Ok(Answer { reported, claims, sent }) => {
                let answers = ended.into_iter().zip(reported);
                free.extend(answers.filter_map(|(ended, answer)| ended.reported(answer)));
                self.settle(claims, sent, free).await
            }
            // One of them keeps the others: each is reported alone.
            Err(error) => {
                tracing::error!(%error, "a report was refused");
                ended.into_iter().for_each(Ended::alone);
                None
            }
        }
    }

    /// Claims for this slot and all others that are free now; behind an open breaker for it alone.
    async fn fill(&mut self, slot: OwnedSemaphorePermit) -> Option<Stopped> {
        if !self.fleet_lets_in().await {
            return None;
        }
        let mut slots = vec![slot];
        if self.shared.breaker.refused_at().is_none() {
            self.vacancy.add_free(&mut slots, SLOTS_A_CLAIM);
        }
        let answer = self.call(&[], slots.len()).await;
        let Ok(Answer { claims, sent, .. }) = answer else { return None };
        self.settle(claims, sent, slots).await
    }

    /// What was claimed goes into the slots; the others are free.
    async fn settle(
        &mut self,
        claims: Option<Claims>,
        sent: Moment,
        slots: Vec<OwnedSemaphorePermit>,
    ) -> Option<Stopped> {
        match claims {
            Some(Claims::Jobs(jobs)) => {
                for (job, slot) in jobs.into_iter().zip(slots) {
                    self.accept(job, sent, slot).await;
                }
            }
            Some(Claims::Nothing { why, next_due }) => {
                drop(slots);
                self.vacancy.found_nothing(next_due);
                self.give_probe_back().await;
                return self.is_finished(why).await;
            }
            // Whoever ends with the queue looks whether that was the last.
            None if self.shared.options.until_empty => self.vacancy.look_again(),
            None => {}
        }
        None
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

    /// Repeats one call, whole and by its nonce, until Redis answers: an open claim is always completed,
    /// since its jobs would wait for their leases to run out. Fails where Redis refuses a report.
    async fn call(&mut self, ended: &[Ended], wanted: usize) -> Result<Answer, QueueError> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let endings: Vec<Ending<'_>> = ended.iter().map(Ended::ending).collect();
        let sent = Moment::now();
        for tries in 0.. {
            self.shared.health.turn();
            match self.try_call(&endings, &nonce, wanted).await {
                Ok((reported, claims)) => {
                    self.shared.health.answer();
                    return Ok(Answer { reported, claims, sent });
                }
                // Whoever watches the connection tells of an outage, once.
                Err(QueueError::Redis(error)) if is_unserved(&error) => {}
                Err(error) if !ended.is_empty() && error.is_refusal() => return Err(error),
                Err(error) if tries == 0 => {
                    tracing::warn!(%error, "claim or report failed, retrying");
                }
                Err(error) => tracing::debug!(%error, "claim or report failed, retrying"),
            }
            tokio::time::sleep(pause(tries)).await;
        }
        unreachable!("a call is repeated until Redis answers")
    }

    async fn try_call(
        &mut self,
        endings: &[Ending<'_>],
        nonce: &str,
        wanted: usize,
    ) -> Result<(Vec<Reported>, Option<Claims>), QueueError> {
        let Shared { options, link, leases, .. } = &self.shared;
        let (scripts, limits) = (&link.scripts, &options.limits);
        let held = leases.len().saturating_sub(endings.len());
        let (worker, lease_ttl) = (options.worker.as_str(), options.lease_ttl);
        let request = ClaimRequest { worker, nonce, lease_ttl, held };
        let connection = &mut self.connection;
        Ok(match (endings, wanted) {
            ([], _) => (vec![], Some(scripts.claim_many(connection, &request, wanted).await?)),
            (_, 0) => (scripts.report_all(connection, endings, limits).await?, None),
            _ => {
                let claim = (&request, wanted);
                let (reported, claims) =
                    scripts.exchange(connection, endings, limits, claim).await?;
                (reported, Some(claims))
            }
        })
    }

    async fn accept(&mut self, job: ClaimedJob, sent: Moment, slot: OwnedSemaphorePermit) {
        match Claimed::new(&self.shared, job, sent, slot) {
            // The receiver lives as long as this loop.
            Ok(claimed) => drop(self.claims.send(claimed).await),
            Err((job, error)) => self.refuse(&job, &error).await,
        }
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
