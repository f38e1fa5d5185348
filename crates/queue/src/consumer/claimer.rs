//! The loop that claims: free slots, then a job for each, then their leases on the way to attempts. What
//! attempts have ended with goes out by the same call that fills their slots anew.

use std::task::Poll;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::{DecodeError, ErrorReport, StageName};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::claimed::Claimed;
use super::ended::Ended;
use super::exchange::{Answer, Exchange};
use super::role::Running;
use super::shared::Shared;
use super::shutdown::{Shutdown, Stopped};
use super::vacancy::Vacancy;
use crate::clock::Moment;
use crate::event::Event;
use crate::scripts::probe_calls::ProbeStep;
use crate::scripts::worker_calls::REPORTS_A_CALL;
use crate::{ClaimedJob, Claims, Idle, Outcome, ParkReason, QueueError, Report};

/// How long a job in a newer envelope waits for a newer worker.
const NEWER_ENVELOPE_WAIT: Duration = Duration::from_secs(30);

/// How often other tasks get their turn before a report goes out: some microseconds.
const TURNS_FOR_OTHERS: usize = 3;
/// Most slots for which one call claims: what its script takes.
const SLOTS_A_CLAIM: usize = 20;
/// Calls on their way at once: while Redis works on one, the next is made. A worker's line in Redis keeps
/// four of them (`add_claim` in `lua/lease_preamble.lua`).
const CALLS: usize = 2;

/// A call on its way; owned, as it is, by the loop.
type Call = BoxFuture<'static, (Exchange, Result<Answer, QueueError>)>;

/// The loop that claims: slots, then a job for each.
pub(crate) struct Claimer {
    shared: Shared,
    shutdown: Shutdown,
    claims: mpsc::Sender<Claimed>,
    ended: mpsc::Receiver<Ended>,
    vacancy: Vacancy,
    connection: SharedConnection,
    calls: FuturesUnordered<Call>,
}

/// What the loop does next.
enum Turn {
    /// Redis has answered a call.
    Answered(Exchange, Result<Answer, QueueError>),
    /// An attempt has ended.
    Ended(Ended),
    /// A slot may be filled.
    Slot(OwnedSemaphorePermit),
    /// The worker leaves.
    Drain,
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
        let (shared, calls) = (shared.clone(), FuturesUnordered::new());
        let claimer = Self { shared, shutdown, claims, ended, vacancy, connection, calls };
        Running::task(claimer.run())
    }

    async fn run(mut self) -> Stopped {
        self.tell_probes(None, ProbeStep::Begun).await;
        let stopped = loop {
            let stopped = match self.turn().await {
                Turn::Answered(call, answer) => self.answered(call, answer).await,
                Turn::Ended(ended) => {
                    self.give_back(ended).await;
                    None
                }
                Turn::Slot(slot) => {
                    self.fill(slot).await;
                    None
                }
                Turn::Drain => Some(Stopped::Drained),
            };
            if let Some(stopped) = stopped {
                break stopped;
            }
        };
        while let Some((call, answer)) = self.calls.next().await {
            self.answered(call, answer).await;
        }
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
            let may_call = self.calls.len() < self.most_calls();
            tokio::select! {
                biased;
                Some(ended) = self.ended.recv(), if may_call => return Turn::Ended(ended),
                Some((call, answer)) = self.calls.next() => return Turn::Answered(call, answer),
                () = self.shutdown.begun() => return Turn::Drain,
                slot = self.vacancy.slot(), if may_call => return Turn::Slot(slot),
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Behind an open breaker one job goes at a time.
    fn most_calls(&self) -> usize {
        if self.shared.breaker.refused_at().is_some() { 1 } else { CALLS }
    }

    /// So many that the other calls have something to bring, too.
    fn reports_a_call(&self) -> usize {
        self.shared.options.slots.div_ceil(CALLS).min(REPORTS_A_CALL)
    }

    /// Sends it before anything else is done: where two answers come at once, Redis works on the next call
    /// of the first while the second is looked at.
    async fn call(&mut self, exchange: Exchange) {
        let mut call: Call = Box::pin(exchange.send(self.shared.clone()));
        // It is asked again when it is waited for, whatever it says now.
        if let Poll::Ready(answered) = futures::poll!(&mut call) {
            call = Box::pin(std::future::ready(answered));
        }
        self.calls.push(call);
        turns_for_others().await;
    }

    /// Reports this attempt and what else has ended by now, and claims for their slots.
    async fn give_back(&mut self, first: Ended) {
        let mut ended = vec![first];
        // What ends at the same moment goes out with it.
        turns_for_others().await;
        while ended.len() < self.reports_a_call()
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
        self.call(Exchange { ended, free, wanted }).await;
    }

    /// Claims for this slot and all others that are free now; behind an open breaker for it alone.
    async fn fill(&mut self, slot: OwnedSemaphorePermit) {
        if !self.fleet_lets_in().await {
            return;
        }
        let mut free = vec![slot];
        if self.shared.breaker.refused_at().is_none() {
            self.vacancy.add_free(&mut free, SLOTS_A_CLAIM);
        }
        let wanted = free.len();
        self.call(Exchange { ended: Vec::new(), free, wanted }).await;
    }

    async fn answered(
        &mut self,
        Exchange { ended, mut free, .. }: Exchange,
        answer: Result<Answer, QueueError>,
    ) -> Option<Stopped> {
        match answer {
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
                turns_for_others().await;
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

async fn turns_for_others() {
    for _ in 0..TURNS_FOR_OTHERS {
        tokio::task::yield_now().await;
    }
}
