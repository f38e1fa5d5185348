//! A configuration goes in; jobs are worked on until a signal, or until the queue is empty.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use pipeline::Policies;
use queue::{Consumer, ConsumerOptions, Endpoint, Limits, Shutdown, Stopped, Tally};
use secrecy::ExposeSecret;
use stillcast_enqueue::{DURATION, Envelope, Format};
use systemd::Supervisor;
use telemetry::{Metrics, Traces};

use crate::cli::Cli;
use crate::config::Config;
use crate::health::{self, Vitals};
use crate::janitor::Janitor;
use crate::job_handler::Watched;
use crate::metrics_observer::MetricsObserver;
use crate::start_error::StartError;
use crate::suspects::Suspects;
use crate::{probe, shutdown_dates, signals, wiring};

/// First and longest back-off between two attempts of a job.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(10));
/// Longest wait for the first connection.
const CONNECT: Duration = Duration::from_secs(15);
/// Longest wait behind a drain: for the last reports, for what was given up in the store, for spans.
const BEHIND_DRAIN: Duration = Duration::from_secs(15);
/// Longest wait at the end for a collector to take the last spans.
const FLUSH: Duration = Duration::from_secs(5);

/// Works until `SIGTERM`, or, with `until_empty`, until nothing is left to do; tells the `supervisor`.
pub(crate) async fn work(
    config: &Config,
    cli: &Cli,
    supervisor: Supervisor,
) -> Result<(), StartError> {
    let shutdown = Shutdown::default();
    let end = (supervisor.clone(), config.queue.drain_timeout + BEHIND_DRAIN);
    let _signals = signals::listen(shutdown.clone(), end)
        .map_err(|error| StartError::Missing(error.into()))?;
    for note in config.settled.notes() {
        tracing::warn!("{note}");
    }
    let listener = match config.address {
        Some(address) => Some(health::bind(address).await.map_err(StartError::Address)?),
        None => None,
    };
    let worker = worker_name();
    let (queue, version) = (&config.queue, env!("CARGO_PKG_VERSION"));
    let metrics = Arc::new(Metrics::new(version, &queue.name, queue.slots));
    let traces = traces(config, &worker, &metrics)?;
    let (tally, metrics_too) = (Tally::default(), Arc::clone(&metrics));
    let watched = Watched { metrics: metrics_too, traces: traces.clone(), tally: tally.clone() };
    let parts = wiring::parts(config, &worker, watched).await.map_err(StartError::Missing)?;
    let observed = (MetricsObserver(Arc::clone(&metrics)), tally);
    let options = options(config, worker.clone(), cli.until_empty, observed)?;
    let endpoint = options.endpoint.clone();
    let (consumer, ()) = tokio::try_join!(connect(options), ffmpeg(config))?;
    let models = wiring::bought_models(&config.providers).map_err(StartError::Missing)?;
    let _models = shutdown_dates::watch(models, Arc::clone(&metrics));
    let vitals = Vitals::new(consumer.health(), metrics, config.queue.lease_ttl);
    let _watch = supervisor.watch({
        let vitals = vitals.clone();
        move || vitals.is_live()
    });
    let _server = listener.map(|listener| health::serve(listener, vitals));
    let settle = parts.settle();
    let (objects, ttl, warm_ttl) = (parts.objects(), config.caching.ttl, config.caching.warm_ttl);
    let webhooks = wiring::deliver(endpoint.clone(), &config.webhooks);
    let _webhooks = webhooks.map_err(StartError::Missing)?;
    let _relay = wiring::relay(config, &worker).map_err(StartError::Missing)?;
    let _janitor = Janitor { endpoint, objects, ttl, warm_ttl }.start();
    let _budgets = wiring::let_go_on(config).map_err(StartError::Missing)?;
    let times = (longest_attempt(&config.policies), config.queue.lease_ttl);
    let suspects = Arc::new(Suspects::new(parts.handler, worker, cli.of_suspect(), times));
    supervisor.ready(&format!("claims jobs of the queue {}", queue.name)).await;
    let stopped = consumer.run(Arc::clone(&suspects) as _, shutdown).await;
    suspects.settle().await;
    // It blocks; where it panicked, nothing is lost but spans.
    let flush = tokio::task::spawn_blocking(move || traces.shutdown(FLUSH));
    let ((), _) = tokio::join!(settle, flush);
    judge(stopped.context("the queue").map_err(StartError::Missing)?, &config.queue.name)
}

fn traces(config: &Config, worker: &str, metrics: &Metrics) -> Result<Traces, StartError> {
    let Some(options) = &config.traces else { return Ok(Traces::off()) };
    let started = Traces::start(options, worker, metrics);
    started.context("OTEL_EXPORTER_OTLP_ENDPOINT").map_err(StartError::Missing)
}

fn options(
    config: &Config,
    worker: String,
    until_empty: bool,
    (observer, tally): (MetricsObserver, Tally),
) -> Result<ConsumerOptions, StartError> {
    let queue = &config.queue;
    let endpoint = Endpoint::new(queue.redis_url.expose_secret(), &queue.name)
        .map_err(|error| StartError::Missing(error.into()))?;
    let policies = config.policies.clone();
    Ok(ConsumerOptions {
        endpoint,
        worker,
        lease_ttl: queue.lease_ttl,
        slots: queue.slots,
        drain_timeout: queue.drain_timeout,
        attempt_budget: Arc::new(move |request| {
            policies.attempt_budget(request.format, length_of(request))
        }),
        backoff: BACKOFF,
        limits: Limits { probe_interval: queue.probe_interval, ..Limits::default() },
        until_empty,
        tally,
        observer: Arc::new(observer),
    })
}

/// How long the file shall last; zero where nobody says.
fn length_of(request: &Envelope) -> Duration {
    request.options.duration.map_or(Duration::ZERO, |seconds| Duration::from_secs(seconds.into()))
}

/// The time of the longest file that anybody may ask for: the bound of a process, whatever runs in it.
fn longest_attempt(policies: &Policies) -> Duration {
    let longest = Duration::from_secs((*DURATION.end()).into());
    policies
        .attempt_budget(Format::Audio, longest)
        .max(policies.attempt_budget(Format::Video, longest))
}

async fn connect(options: ConsumerOptions) -> Result<Consumer, StartError> {
    let (worker, queue) = (options.worker.clone(), options.endpoint.keys().prefix().to_owned());
    let connecting = tokio::time::timeout(CONNECT, Consumer::connect(options)).await;
    let consumer = connecting
        .map_err(|_| anyhow!("it did not answer within {} s", CONNECT.as_secs()))
        .and_then(|connected| Ok(connected?))
        .context(probe::REDIS)
        .map_err(StartError::Missing)?;
    for warning in &consumer.server().warnings {
        tracing::warn!("Redis: {warning}");
    }
    let redis = &consumer.server().version;
    tracing::info!(worker, queue, redis, version = env!("CARGO_PKG_VERSION"), "ready to claim");
    Ok(consumer)
}

/// Without an FFmpeg that can make our files every job would only be claimed, paid for and parked.
async fn ffmpeg(config: &Config) -> Result<(), StartError> {
    probe::ffmpeg(config).await.map(drop).map_err(StartError::Missing)
}

fn judge(stopped: Stopped, queue: &str) -> Result<(), StartError> {
    match stopped {
        Stopped::Drained | Stopped::Empty => Ok(()),
        Stopped::Paused => Err(StartError::Missing(anyhow!(
            "the queue `{queue}` is paused, and jobs are left; resume it with: \
             stillcast queue resume"
        ))),
    }
}

/// Host, process and chance: never the same for two starts, also where all processes are number 1.
fn worker_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || "._-".contains(*letter);
    let host: String = host.trim().chars().filter(is_plain).take(64).collect();
    let host = host.trim_start_matches(['.', '_', '-']);
    let host = if host.is_empty() { "host" } else { host };
    format!("{host}-{}-{:08x}", std::process::id(), fastrand::u32(..))
}
