//! Workers as processes of their own, and the wait for what they do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use child::{Limits, Running, Spec};
use futures::FutureExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use queue::{Clock, ConsumerOptions, Endpoint, QueueStats, Scripts, Tally};
use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::{Job, JobId, JobRecord, Producer, ProducerOptions, Submission};

use crate::journal::{Account, Act, Entry};
use crate::server::Server;
use crate::wait::look;

/// The queue of every fault test.
pub const QUEUE: &str = "faults";
/// Longest wait for any event; reaching it is a failure, never a pass.
const WAIT_TIMEOUT: Duration = Duration::from_secs(90);
/// Longest wait for one answer: a server that stands still is asked again.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Memory that a worker may write, in bytes: a job that takes all must not take this machine's.
const MEMORY: u64 = 1 << 30;

/// How one worker is set up.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// The lease in ms.
    pub lease_ms: u64,
    /// Jobs at once.
    pub slots: usize,
    /// Longest attempt in ms.
    pub budget_ms: u64,
    /// The drain in ms.
    pub drain_ms: u64,
    /// Back-off between attempts in ms.
    pub backoff_ms: u64,
    /// Another address than the server's own.
    pub url: Option<String>,
    /// The worker's binary; the same arguments for each.
    pub program: PathBuf,
}

impl WorkerOptions {
    /// L = 3 s, four slots.
    #[must_use]
    pub fn of(program: &str) -> Self {
        Self {
            lease_ms: 3000,
            slots: 4,
            budget_ms: 60_000,
            drain_ms: 10_000,
            backoff_ms: 50,
            url: None,
            program: program.into(),
        }
    }
}

/// A server, its workers and their journal.
pub struct Fleet {
    /// The server.
    pub server: Server,
    /// The door in.
    pub producer: Producer,
    scripts: Scripts,
    connection: SharedConnection,
}

impl Fleet {
    /// A server without workers.
    pub async fn start() -> anyhow::Result<Self> {
        Self::on(Server::start().await?).await
    }

    /// The same on a given server.
    pub async fn on(server: Server) -> anyhow::Result<Self> {
        let options =
            ProducerOptions { queue_name: QUEUE.to_owned(), ..ProducerOptions::default() };
        let producer = Producer::connect_with(&server.url(), options).await?;
        let endpoint = Endpoint::new(&server.url(), QUEUE)?;
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        let connection = endpoint.shared(CALL_TIMEOUT).await?;
        Ok(Self { server, producer, scripts, connection })
    }

    /// Where the handlers write.
    #[must_use]
    pub fn account(&self) -> Account {
        Account::new(self.server.folder().join("journal"))
    }

    /// Starts a worker by the name `name`; each start is a worker of its own to the queue.
    pub async fn worker(&self, name: &str, options: &WorkerOptions) -> anyhow::Result<Worker> {
        let options = WorkerOptions {
            url: Some(options.url.clone().unwrap_or_else(|| self.server.url())),
            ..options.clone()
        };
        Worker::start(self.server.folder(), name, &options).await
    }

    /// Enqueues all; each must be new.
    pub async fn enqueue(&self, jobs: &[Job]) -> anyhow::Result<Vec<JobId>> {
        let mut ids = Vec::new();
        for result in self.producer.enqueue_many(jobs).await {
            let enqueued = result?;
            anyhow::ensure!(matches!(enqueued.submission, Submission::Created(_)), "{enqueued:?}");
            ids.push(enqueued.id);
        }
        Ok(ids)
    }

    /// Waits until every job has ended; their records in order.
    pub async fn ended(&self, ids: &[JobId]) -> anyhow::Result<Vec<JobRecord>> {
        self.until("every job has ended", async || {
            let records = self.producer.status(ids).await.ok()?;
            let records: Option<Vec<JobRecord>> = records.into_iter().collect();
            records.filter(|all| all.iter().all(|record| record.state.is_terminal()))
        })
        .await
    }

    /// The record of one job.
    pub async fn record(&self, id: &JobId) -> anyhow::Result<JobRecord> {
        let record = self.producer.status(std::slice::from_ref(id)).await?.pop().flatten();
        record.ok_or_else(|| anyhow::anyhow!("no record of {id}"))
    }

    /// Waits until the journal holds a line that `wanted` accepts.
    pub async fn journalled(&self, wanted: impl Fn(&Entry) -> bool) -> anyhow::Result<Entry> {
        let account = self.account();
        self.until("a line in the journal", async || account.entries().into_iter().find(&wanted))
            .await
    }

    /// Waits until call `call` of `job` has begun.
    pub async fn call_began(&self, job: &JobId, call: u32) -> anyhow::Result<Entry> {
        let job = job.as_str();
        self.journalled(|entry| {
            entry.job == job && entry.act == Act::CallStart && entry.call == call
        })
        .await
    }

    /// Waits until `look` finds something.
    pub async fn until<T>(
        &self,
        what: &str,
        at: impl AsyncFnMut() -> Option<T>,
    ) -> anyhow::Result<T> {
        look(WAIT_TIMEOUT, at).await.with_context(|| format!("not within {WAIT_TIMEOUT:?}: {what}"))
    }

    /// One look at the queue. A connection that an outage broke opens itself again.
    pub async fn stats(&self) -> anyhow::Result<QueueStats> {
        self.until("the server answers", async || {
            self.scripts.stats(&mut self.connection.clone()).await.ok()
        })
        .await
    }

    /// Of a worker in the test's own process: one slot, a lease of three seconds.
    pub fn consumer_options(&self, worker: &str) -> anyhow::Result<ConsumerOptions> {
        Ok(ConsumerOptions {
            endpoint: Endpoint::new(&self.server.url(), QUEUE)?,
            worker: worker.to_owned(),
            lease_ttl: Duration::from_secs(3),
            slots: 1,
            drain_timeout: Duration::from_secs(5),
            attempt_budget: Arc::new(|_| Duration::from_mins(1)),
            backoff: (Duration::from_millis(50), Duration::from_secs(2)),
            limits: queue::Limits::default(),
            until_empty: false,
            tally: Tally::default(),
            observer: Arc::new(()),
        })
    }

    /// The scripts and a connection, for what only a test does.
    #[must_use]
    pub fn scripts(&self) -> (Scripts, SharedConnection) {
        (self.scripts.clone(), self.connection.clone())
    }

    /// A plain connection.
    #[must_use]
    pub fn connection(&self) -> SharedConnection {
        self.connection.clone()
    }

    /// Redis' own clock, in ms.
    pub async fn now_ms(&self) -> anyhow::Result<i64> {
        Ok(self.stats().await?.at.timestamp_millis())
    }
}

/// One worker process; killed when dropped.
pub struct Worker {
    running: Option<Running>,
}

impl Worker {
    /// Starts one by the name `name` at the address of its options, with journal and log in `folder`.
    pub async fn start(folder: &Path, name: &str, options: &WorkerOptions) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let running = Spec::new(options.program.clone())
            .arg(options.url.as_deref().context("an address")?)
            .arg(name)
            .arg(folder)
            .args([options.lease_ms, options.budget_ms, options.drain_ms].map(|n| n.to_string()))
            .args([options.slots.to_string(), options.backoff_ms.to_string()])
            .env("RUST_LOG", "info,apalis_core=warn")
            .limits(Limits { data: Some(MEMORY), ..Limits::default() })
            .stdout(child::Stream::File(log.try_clone()?))
            .stderr(child::Stream::File(log))
            .spawn()
            .await?;
        Ok(Self { running: Some(running) })
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let running = self.running.as_ref().ok_or_else(|| anyhow::anyhow!("already ended"))?;
        Ok(kill(Pid::from_raw(running.pid()), signal)?)
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let Some(running) = &mut self.running else { return true };
        running.wait().now_or_never().is_some()
    }

    /// SIGKILL, and waits for its end.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.end().await.map(drop)
    }

    /// Waits for its end; whether it ended with status 0.
    pub async fn end(&mut self) -> anyhow::Result<bool> {
        let Some(mut running) = self.running.take() else { return Ok(true) };
        let ended = tokio::time::timeout(WAIT_TIMEOUT, running.wait()).await?;
        Ok(ended.is_ok())
    }
}
