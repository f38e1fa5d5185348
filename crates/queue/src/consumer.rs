//! Jobs come out of the queue, one for each free slot, and go to the handler.

use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::WorkerBuilder;
use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::backend::Claims;
use crate::breaker::Breaker;
use crate::claimer::Claimer;
use crate::connection::{Endpoint, ServerReport};
use crate::event::Observer;
use crate::executor::{AttemptService, Executor};
use crate::health::Health;
use crate::heartbeat::{Heartbeat, HeartbeatThread};
use crate::lease::Lease;
use crate::lease_table::LeaseTable;
use crate::link::Link;
use crate::scripts::{Clock, Scripts};
use crate::{Interrupted, Limits, Outcome, QueueError, Reaped, Report, owned};

/// Between two tries to listen for cancellations.
const LISTEN_AGAIN: Duration = Duration::from_millis(100);
/// Behind the drain's deadline, attempts that were stopped have so long for their reports.
const LAST_REPORTS: Duration = Duration::from_secs(1);

/// Does the work of one attempt.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Works under `lease` and says how it ended. Dropped when the lease is interrupted, so all
    /// that it starts must die on drop.
    async fn attempt(&self, lease: Lease) -> Report;
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
    pub(crate) drain: CancellationToken,
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

/// A worker's end of the queue.
pub struct Consumer {
    pub(crate) options: ConsumerOptions,
    pub(crate) link: Link,
    pub(crate) leases: Arc<LeaseTable>,
    pub(crate) health: Health,
    pub(crate) breaker: Arc<Breaker>,
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
        let (leases, health) = (Arc::new(LeaseTable::new()), Health::new());
        let breaker = Arc::new(Breaker::new(options.limits.probe_interval));
        Ok(Self { options, link, leases, health, breaker, server })
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
        let thread = self.start_heartbeat()?;
        let _pulse = self.start_pulse();
        let _hints = self.start_cancel_hints();
        let (claims, incoming) = mpsc::channel(self.options.slots);
        let service = AttemptService(Arc::new(self.attempts(handler)));
        let worker = WorkerBuilder::new(self.options.worker.clone())
            .backend(Claims(incoming))
            .build(service)
            .run();
        let mut claimer = Claimer::new(&self, claims);
        let claim = async {
            let stopped = claimer.run(&shutdown).await;
            self.start_drain(stopped).await;
            drop(claimer);
            stopped
        };
        let finished = async {
            let (stopped, ran) = tokio::join!(claim, worker);
            if let Err(error) = ran {
                tracing::error!(%error, "the worker loop ended with an error");
            }
            stopped
        };
        let mut finished = Box::pin(finished);
        let in_time = tokio::select! {
            stopped = &mut finished => Some(stopped),
            () = self.drain_deadline(&shutdown) => self.last_reports(&mut finished).await,
        };
        drop(finished);
        let stopped = match in_time {
            Some(stopped) => stopped,
            None => self.end_at_once().await,
        };
        // Its last round would write this worker down again; its end may take a call to Redis.
        let _ = tokio::task::spawn_blocking(move || drop(thread)).await;
        self.leave().await;
        Ok(stopped)
    }

    fn attempts(&self, handler: Arc<dyn Handler>) -> Executor {
        Executor {
            handler,
            observer: Arc::clone(&self.options.observer),
            budget: self.options.attempt_budget,
            backoff: self.options.backoff,
            limits: self.options.limits.clone(),
            breaker: Arc::clone(&self.breaker),
        }
    }

    fn start_heartbeat(&self) -> Result<HeartbeatThread, QueueError> {
        let renewal = Heartbeat {
            endpoint: self.options.endpoint.clone(),
            scripts: self.link.scripts.clone(),
            leases: Arc::clone(&self.leases),
            observer: Arc::clone(&self.options.observer),
            health: self.health.clone(),
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
                    tracing::debug!(%error, "cancel subscription lost, resubscribing");
                }
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        })
    }

    /// From here on no paid call begins, and whatever dies with this process is no crash.
    async fn start_drain(&self, stopped: Stopped) {
        self.health.start_drain();
        self.leases.start_drain();
        tracing::info!(?stopped, running = self.leases.len(), "draining");
        let Link { scripts, mut connection } = self.link.clone();
        if let Err(error) = scripts.drain(&mut connection, &self.options.worker, "leaving").await {
            tracing::warn!(%error, "announcing the drain failed");
        }
    }

    async fn drain_deadline(&self, shutdown: &Shutdown) {
        shutdown.drain.cancelled().await;
        tokio::select! {
            () = shutdown.now.cancelled() => {}
            () = tokio::time::sleep(self.options.drain_timeout) => {}
        }
    }

    /// The running attempts must stop; most can say at once what they have cost.
    async fn last_reports<T>(&self, finished: impl Future<Output = T>) -> Option<T> {
        self.leases.interrupt_all(Interrupted::Draining);
        tokio::time::timeout(LAST_REPORTS, finished).await.ok()
    }

    /// The running attempts are dropped; their jobs are given back here.
    async fn end_at_once(&self) -> Stopped {
        let Link { scripts, mut connection } = self.link.clone();
        let limits = &self.options.limits;
        for lease in self.leases.all() {
            let report = Report { cost: lease.cost.total(), ..Outcome::Release.into() };
            let (id, token) = (&lease.id, &lease.token);
            let released =
                scripts.report(&mut connection, id, token, &report, Duration::ZERO, limits).await;
            if let Err(error) = released {
                tracing::warn!(job.id = id, %error, "release failed; the lease will expire");
            }
        }
        Stopped::Drained
    }

    async fn leave(&self) {
        let Link { scripts, mut connection } = self.link.clone();
        if let Err(error) = scripts.drain(&mut connection, &self.options.worker, "gone").await {
            tracing::warn!(%error, "deregistering the worker failed");
        }
    }
}

async fn hear_cancels(endpoint: &Endpoint, leases: &LeaseTable) -> redis::RedisResult<()> {
    use futures::StreamExt;
    let mut listener = endpoint.listener().await?;
    listener.subscribe(endpoint.keys().named("cancels")).await?;
    let mut messages = listener.into_on_message();
    while let Some(message) = messages.next().await {
        leases.interrupt(&message.get_payload::<String>()?, Interrupted::Cancelled);
    }
    Ok(())
}
