//! Jobs come out of the queue, one for each free slot, and go to the handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use apalis_core::worker::builder::WorkerBuilder;
use async_trait::async_trait;
use redis::aio::ConnectionManager;
use stillcast_enqueue::{DecodeError, Envelope, ErrorReport};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::attempt::{AttemptService, Attempts, Claimed};
use crate::backend::Claims;
use crate::clock::Moment;
use crate::connection::{Endpoint, ServerReport};
use crate::lease::{Lease, Link};
use crate::leases::{Held, Leases};
use crate::renewal::{Renewal, RenewalThread, valid_for};
use crate::scripts::{Claim, ClaimedJob, Clock, Idle, Limits, Reaped, Scripts, Verb};
use crate::wake::Wake;
use crate::{Interrupted, Outcome, ParkReason, QueueError, Report, owned};

/// Longest wait for the wake marker: whatever was missed is seen within it.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long a job in a newer envelope waits for a newer worker.
const NEWER_ENVELOPE_WAIT: Duration = Duration::from_secs(30);
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(100);

/// Does the work of one attempt.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Works under `lease` and says how it ended. Dropped when the lease is interrupted, so all
    /// that it starts must die on drop.
    async fn attempt(&self, lease: Lease) -> Report;
}

/// Hears what happens, to count it. Called from the runtime and from the renewal thread.
pub trait Observer: Send + Sync + 'static {
    /// Must return at once.
    fn observe(&self, event: &Event);
}

impl Observer for () {
    fn observe(&self, _: &Event) {}
}

/// What an [`Observer`] hears.
#[derive(Clone, Debug)]
pub enum Event {
    /// A job was claimed after so long in `ready`.
    Claimed {
        /// From first ready to leased, by the clocks of Redis and this host.
        waited: Duration,
    },
    /// A report was accepted; the job is in `state` after an attempt of this length.
    Reported {
        /// The state.
        state: String,
        /// The attempt's length.
        after: Duration,
    },
    /// A report was refused: another token holds the job.
    StaleReport,
    /// An attempt stopped since its lease was lost.
    LeaseLost,
    /// The clock ended a lease before Redis could lend it again.
    SelfFenced,
    /// A handler panicked.
    Panicked,
    /// A request could not be read and is dead.
    Poison,
    /// A round of the reaper.
    Reaped(Reaped),
}

/// How to consume.
#[derive(Clone)]
pub struct ConsumerOptions {
    /// Which queue on which Redis.
    pub endpoint: Endpoint,
    /// Names this process start; never reused.
    pub worker: String,
    /// The lease, L. Every other time of the queue derives from it.
    pub lease_ttl: Duration,
    /// Jobs at once.
    pub slots: usize,
    /// How long running attempts may go on after the first signal.
    pub drain_timeout: Duration,
    /// Longest attempt.
    pub attempt_budget: Duration,
    /// First and longest back-off between two attempts of a job.
    pub backoff: (Duration, Duration),
    /// When a job without progress is dead, and how long records live.
    pub limits: Limits,
    /// End once nothing is left to do.
    pub until_empty: bool,
    /// Hears what happens.
    pub observer: Arc<dyn Observer>,
}

/// Why a consumer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was asked to.
    Drained,
    /// `until_empty`, and nothing is left.
    Empty,
    /// `until_empty`, but the queue is paused and something is left.
    Paused,
}

/// Two signals: the first drains, the second ends at once.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    now: CancellationToken,
}

impl Shutdown {
    /// The first call drains; the second ends at once.
    pub fn signal(&self) {
        if self.drain.is_cancelled() {
            self.now.cancel();
        }
        self.drain.cancel();
    }

    /// Whether the drain has begun.
    pub fn has_begun(&self) -> bool {
        self.drain.is_cancelled()
    }
}

/// What probes may ask. Cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Vitals>);

struct Vitals {
    turned: AtomicU64,
    answered: AtomicU64,
    draining: AtomicBool,
}

impl Health {
    fn new() -> Self {
        let never = AtomicU64::new(0);
        let now = AtomicU64::new(Moment::now().as_nanos());
        Self(Arc::new(Vitals { turned: now, answered: never, draining: AtomicBool::new(false) }))
    }

    fn turn(&self) {
        self.0.turned.store(Moment::now().as_nanos(), Ordering::Release);
    }

    fn answer(&self) {
        self.0.answered.store(Moment::now().as_nanos(), Ordering::Release);
    }

    fn age(of: &AtomicU64) -> Duration {
        Moment::now().saturating_since(Moment::from_nanos(of.load(Ordering::Acquire)))
    }

    /// Liveness: whether the consumer has claimed, polled or stood with all slots full within `limit`.
    pub fn is_turning(&self, limit: Duration) -> bool {
        Self::age(&self.0.turned) < limit
    }

    /// Readiness: whether Redis has answered within `limit` and no drain has begun.
    pub fn is_ready(&self, limit: Duration) -> bool {
        !self.is_draining() && Self::age(&self.0.answered) < limit
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }
}

/// A worker's end of the queue.
pub struct Consumer {
    options: ConsumerOptions,
    link: Link,
    leases: Arc<Leases>,
    health: Health,
    server: ServerReport,
}

impl Consumer {
    /// Connects and examines the server; claims nothing yet.
    pub async fn connect(options: ConsumerOptions) -> Result<Self, QueueError> {
        // Several tries fit into one lease.
        let response_timeout = (options.lease_ttl / 6).max(Duration::from_millis(250));
        let mut connection = options.endpoint.shared(response_timeout).await?;
        let server = options.endpoint.examine(&mut connection).await?;
        let scripts = Scripts::new(options.endpoint.keys().clone(), Clock::Server);
        let link = Link { scripts, connection };
        Ok(Self { options, link, leases: Arc::new(Leases::new()), health: Health::new(), server })
    }

    /// What the server said of itself.
    pub fn server(&self) -> &ServerReport {
        &self.server
    }

    /// For the probes.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Ends every lease, as the only worker that can exist (the holder of an embedded queue's lock).
    pub async fn reap_everything(&self) -> Result<Reaped, QueueError> {
        let Link { scripts, mut connection } = self.link.clone();
        let options = &self.options;
        let call = scripts.reap("", options.lease_ttl, true, &options.limits);
        let answer: Vec<i64> = call.invoke_async(&mut connection).await?;
        Ok(Reaped::from_answer(&answer))
    }

    /// Claims and works until `shutdown`, or until nothing is left.
    pub async fn run(
        self,
        handler: Arc<dyn Handler>,
        shutdown: Shutdown,
    ) -> Result<Stopped, QueueError> {
        let _thread = self.start_renewal()?;
        let _pulse = self.start_pulse();
        let _hints = self.start_cancel_hints();
        let (claims, incoming) = mpsc::channel(self.options.slots);
        let service = AttemptService(Arc::new(self.attempts(handler)));
        let worker = WorkerBuilder::new(self.options.worker.clone())
            .backend(Claims(incoming))
            .build(service)
            .run();
        let mut claiming = Claiming::new(&self, claims);
        let claim = async {
            let stopped = claiming.run(&shutdown).await;
            self.start_drain(stopped).await;
            drop(claiming);
            stopped
        };
        let finished = async {
            let (stopped, ran) = tokio::join!(claim, worker);
            if let Err(error) = ran {
                tracing::error!(%error, "the worker loop ended with an error");
            }
            stopped
        };
        let stopped = tokio::select! {
            stopped = finished => stopped,
            () = self.drain_deadline(&shutdown) => self.end_at_once().await,
        };
        self.leave().await;
        Ok(stopped)
    }

    fn attempts(&self, handler: Arc<dyn Handler>) -> Attempts {
        Attempts {
            handler,
            observer: Arc::clone(&self.options.observer),
            budget: self.options.attempt_budget,
            backoff: self.options.backoff,
            limits: self.options.limits.clone(),
        }
    }

    fn start_renewal(&self) -> Result<RenewalThread, QueueError> {
        let renewal = Renewal {
            endpoint: self.options.endpoint.clone(),
            scripts: self.link.scripts.clone(),
            leases: Arc::clone(&self.leases),
            observer: Arc::clone(&self.options.observer),
            worker: self.options.worker.clone(),
            lease_ttl: self.options.lease_ttl,
            limits: self.options.limits.clone(),
        };
        renewal.start()
    }

    /// Shows the renewal thread that the runtime turns.
    fn start_pulse(&self) -> AbortOnDropHandle<()> {
        let (leases, period) = (Arc::clone(&self.leases), self.options.lease_ttl / 12);
        owned::spawn(async move {
            loop {
                leases.beat();
                tokio::time::sleep(period).await;
            }
        })
    }

    /// Cancellations reach a running attempt at once; the renewal finds those that a hint missed.
    fn start_cancel_hints(&self) -> AbortOnDropHandle<()> {
        let (leases, endpoint) = (Arc::clone(&self.leases), self.options.endpoint.clone());
        owned::spawn(async move {
            loop {
                if let Err(error) = hear_cancels(&endpoint, &leases).await {
                    tracing::debug!(%error, "no hints of cancellations, again");
                }
                tokio::time::sleep(PAUSE_AFTER_FAULT).await;
            }
        })
    }

    /// From here on no paid call begins, and whatever dies with this process is no crash.
    async fn start_drain(&self, stopped: Stopped) {
        self.health.0.draining.store(true, Ordering::Release);
        self.leases.start_drain();
        tracing::info!(?stopped, running = self.leases.len(), "draining");
        let Link { scripts, mut connection } = self.link.clone();
        if let Err(error) = scripts.drain(&mut connection, &self.options.worker, "leaving").await {
            tracing::warn!(%error, "the drain could not be announced");
        }
    }

    async fn drain_deadline(&self, shutdown: &Shutdown) {
        shutdown.drain.cancelled().await;
        tokio::select! {
            () = shutdown.now.cancelled() => {}
            () = tokio::time::sleep(self.options.drain_timeout) => {}
        }
    }

    /// The running attempts are dropped; their jobs are given back here.
    async fn end_at_once(&self) -> Stopped {
        let Link { scripts, mut connection } = self.link.clone();
        let limits = &self.options.limits;
        let report = Report::from(Outcome::Release);
        for held in self.leases.all() {
            held.interrupt(Interrupted::Draining);
            let (id, token) = (&held.id, &held.token);
            let released =
                scripts.report(&mut connection, id, token, &report, Duration::ZERO, limits).await;
            if let Err(error) = released {
                tracing::warn!(job.id = id, %error, "not released; its lease will run out");
            }
        }
        Stopped::Drained
    }

    async fn leave(&self) {
        let Link { scripts, mut connection } = self.link.clone();
        if let Err(error) = scripts.drain(&mut connection, &self.options.worker, "gone").await {
            tracing::warn!(%error, "the worker could not sign off");
        }
    }
}

async fn hear_cancels(endpoint: &Endpoint, leases: &Leases) -> redis::RedisResult<()> {
    use futures::StreamExt;
    let mut listener = endpoint.listener().await?;
    listener.subscribe(endpoint.keys().named("cancels")).await?;
    let mut messages = listener.into_on_message();
    while let Some(message) = messages.next().await {
        leases.interrupt(&message.get_payload::<String>()?, Interrupted::Cancelled);
    }
    Ok(())
}

/// The loop that claims: a slot, then a job for it.
struct Claiming<'run> {
    consumer: &'run Consumer,
    claims: mpsc::Sender<Claimed>,
    slots: Arc<Semaphore>,
    wake: Wake,
    connection: ConnectionManager,
}

impl<'run> Claiming<'run> {
    fn new(consumer: &'run Consumer, claims: mpsc::Sender<Claimed>) -> Self {
        Self {
            consumer,
            claims,
            slots: Arc::new(Semaphore::new(consumer.options.slots)),
            wake: Wake::start(consumer.options.endpoint.clone(), LONGEST_WAIT),
            connection: consumer.link.connection.clone(),
        }
    }

    async fn run(&mut self, shutdown: &Shutdown) -> Stopped {
        loop {
            let Some(slot) = self.free_slot(shutdown).await else { return Stopped::Drained };
            // An open claim is always completed: its job would wait for its lease to run out.
            match self.claim().await {
                (Claim::Job(job), sent) => self.accept(*job, sent, slot).await,
                (Claim::Nothing { why, next_due }, _) => {
                    drop(slot);
                    if let Some(stopped) = self.is_finished(why).await {
                        return stopped;
                    }
                    self.wait(why, next_due, shutdown).await;
                }
            }
            if shutdown.has_begun() {
                return Stopped::Drained;
            }
        }
    }

    /// Waits for a slot; a worker with all slots full is alive too.
    async fn free_slot(&self, shutdown: &Shutdown) -> Option<OwnedSemaphorePermit> {
        loop {
            self.consumer.health.turn();
            let slot = Arc::clone(&self.slots).acquire_owned();
            tokio::select! {
                slot = slot => return slot.ok(),
                () = shutdown.drain.cancelled() => return None,
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Repeats one claim, by its nonce, until Redis answers. Answers the moment of the first sending.
    async fn claim(&mut self) -> (Claim, Moment) {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let options = &self.consumer.options;
        let scripts = &self.consumer.link.scripts;
        let sent = Moment::now();
        loop {
            self.consumer.health.turn();
            let held = self.consumer.leases.len();
            let connection = &mut self.connection;
            match scripts.claim(connection, &options.worker, &nonce, options.lease_ttl, held).await
            {
                Ok(claim) => {
                    self.consumer.health.answer();
                    return (claim, sent);
                }
                Err(error) => tracing::warn!(%error, "no claim, again"),
            }
            tokio::time::sleep(PAUSE_AFTER_FAULT).await;
        }
    }

    async fn accept(&mut self, job: ClaimedJob, sent: Moment, slot: OwnedSemaphorePermit) {
        match Envelope::decode(&job.body) {
            Ok(envelope) => {
                let lease = self.lease(job, envelope, sent);
                self.observe_wait(&lease);
                // The receiver lives as long as this loop.
                let _ = self.claims.send(Claimed { lease, slot }).await;
            }
            Err(error) => self.refuse(&job, &error).await,
        }
    }

    fn lease(&self, job: ClaimedJob, envelope: Envelope, sent: Moment) -> Lease {
        let options = &self.consumer.options;
        let held = Arc::new(Held::new(
            job.id,
            job.token,
            sent + valid_for(options.lease_ttl),
            Moment::now() + job.remaining,
            Moment::now() + options.attempt_budget + options.lease_ttl,
        ));
        let leases = Arc::clone(&self.consumer.leases);
        leases.insert(Arc::clone(&held));
        Lease::new(envelope, job.hash, held, leases, self.consumer.link.clone())
    }

    fn observe_wait(&self, lease: &Lease) {
        let now = chrono::Utc::now().timestamp_millis();
        let waited = lease.ready_ms().and_then(|ready| u64::try_from(now - ready).ok());
        let waited = Duration::from_millis(waited.unwrap_or_default());
        self.consumer.options.observer.observe(&Event::Claimed { waited });
    }

    /// A request that this worker cannot read never reaches an attempt.
    async fn refuse(&mut self, job: &ClaimedJob, error: &DecodeError) {
        let code = if matches!(error, DecodeError::Newer { .. }) { "version" } else { "poison" };
        let error = ErrorReport {
            stage: None,
            provider: None,
            code: code.to_owned(),
            message: error.to_string(),
        };
        tracing::error!(job.id, error.message, "a request cannot be read");
        let outcome = if code == "version" {
            let reason = ParkReason::Version;
            Outcome::Park { reason, wake: NEWER_ENVELOPE_WAIT, error: Some(error) }
        } else {
            self.consumer.options.observer.observe(&Event::Poison);
            Outcome::Dead { error }
        };
        let (scripts, limits) = (&self.consumer.link.scripts, &self.consumer.options.limits);
        let (connection, report) = (&mut self.connection, Report::from(outcome));
        let sent =
            scripts.report(connection, &job.id, &job.token, &report, Duration::ZERO, limits).await;
        if let Err(error) = sent {
            tracing::warn!(job.id, %error, "not reported; its lease will run out");
        }
    }

    async fn wait(&mut self, why: Idle, next_due: Option<Duration>, shutdown: &Shutdown) {
        let limit = next_due.map_or(LONGEST_WAIT, |due| due.min(LONGEST_WAIT));
        let leases = Arc::clone(&self.consumer.leases);
        let freed = leases.freed.notified();
        tokio::select! {
            () = self.wake.wait(limit) => {}
            () = shutdown.drain.cancelled() => {}
            // The reserved job may run as soon as this worker holds nothing else.
            () = freed, if why == Idle::Hold => {}
        }
    }

    /// For `until_empty`: nothing ready, parked, leased, or delayed and due.
    async fn is_finished(&mut self, why: Idle) -> Option<Stopped> {
        if !self.consumer.options.until_empty || why == Idle::Hold {
            return None;
        }
        let call = self.consumer.link.scripts.call(Verb::Stats);
        let stats: Vec<i64> = call.invoke_async(&mut self.connection).await.ok()?;
        let open: i64 = [3, 4, 5, 10].iter().filter_map(|at| stats.get(*at)).sum();
        match (open, why) {
            (0, _) => Some(Stopped::Empty),
            (_, Idle::Paused) => Some(Stopped::Paused),
            _ => None,
        }
    }
}
