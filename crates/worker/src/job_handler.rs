//! A lease goes in, a run of the pipeline under it, and a report comes out.

mod gate;
mod memory;
mod observer;
mod outcome;
mod watch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use isolation::Teller;
use pipeline::sound::Loudness;
use pipeline::{
    Budget, Failed, FailureClass, Memory, ObjectStore, OtherJob, Policies, Produced, Progress,
    Pronunciation, Providers, RateLimiter, Request, Run, SharedCache, Sharing, Slots,
};
use queue::{Lease, Outcome, ParkReason, Report, Tally};
use stillcast_enqueue::{ErrorReport, JobId};
use telemetry::{Metrics, TracedAttempt, TracedJob, Traces};
use tracing::Instrument;

use gate::LeaseGate;
use memory::LeaseMemory;
use observer::AttemptObserver;
use outcome::{outcome_of, spread};
use watch::Watch;

/// A folder of one attempt alone; removed on drop.
pub(crate) trait Folder: Send + Sync {
    /// Where it is.
    fn path(&self) -> &Path;
}

/// Gives each attempt its folder.
pub(crate) trait Folders: Send + Sync {
    /// An empty one.
    fn folder(&self) -> std::io::Result<Box<dyn Folder>>;
}

/// The name under which a job keeps the trace context of its first attempt.
const FIRST_ATTEMPT: &str = "first-attempt";

/// Where numbers and spans go.
pub(crate) struct Watched {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) traces: Traces,
    /// What is counted for the queue's history.
    pub(crate) tally: Tally,
}

/// What all attempts of a worker share.
pub(crate) struct JobHandler {
    pub(crate) providers: Providers,
    /// Keeps what jobs remember.
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// What jobs share; `None` when they share nothing.
    pub(crate) cache: Option<Arc<dyn SharedCache>>,
    pub(crate) loudness: Loudness,
    pub(crate) pronunciation: Arc<Pronunciation>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) slots: Arc<Slots>,
    /// Keeps what tenants may spend; `None` where nobody limits that.
    pub(crate) budget: Option<Arc<dyn Budget>>,
    /// Keeps the limits of providers' accounts; `None` where nothing is bought.
    pub(crate) limiter: Option<Arc<dyn RateLimiter>>,
    pub(crate) folders: Box<dyn Folders>,
    pub(crate) watched: Watched,
    /// The queue from which the jobs come.
    pub(crate) queue: String,
    /// How long a job waits for somebody to mend a provider's account or set-up.
    pub(crate) probe_interval: Duration,
    /// The worker for which this process has the one job; `None` in a worker.
    pub(crate) teller: Option<Teller>,
}

impl JobHandler {
    /// Makes what the job asks for, as far as the lease goes.
    pub(crate) async fn attempt(&self, lease: Lease) -> Report {
        let trace = Arc::new(self.trace(&lease));
        let trace_id = trace.trace_id();
        let trace_id = trace_id.or_else(|| lease.traceparent().and_then(telemetry::trace_id));
        let format = lease.envelope().format;
        let span = tracing::info_span!("job", trace_id, job.format = %format);
        let work = async {
            tokio::join!(Box::pin(self.produce(&lease, &trace)), remember(&lease, &trace)).0
        };
        let report = work.instrument(span).await;
        let (outcome, failure) = outcome::words(&report.outcome);
        trace.settled(outcome, failure);
        report
    }

    fn trace(&self, lease: &Lease) -> TracedAttempt {
        let first_attempt = lease.recall(FIRST_ATTEMPT);
        self.watched.traces.attempt(&TracedJob {
            id: lease.id(),
            tenant: lease.tenant(),
            format: lease.envelope().format.as_str(),
            queue: &self.queue,
            attempt: lease.attempt(),
            traceparent: lease.traceparent(),
            first_attempt: first_attempt.as_deref(),
        })
    }

    async fn produce(&self, lease: &Lease, trace: &Arc<TracedAttempt>) -> Report {
        let unfinished = Unfinished::new(&self.watched.metrics);
        let watch = Watch::start(lease.clone());
        let Watched { metrics, tally, .. } = &self.watched;
        let counted = (tally.clone(), lease.envelope().format);
        let observer = AttemptObserver::new(Arc::clone(metrics), Arc::clone(trace), counted);
        let report = match self.run(lease, watch.progress(), observer) {
            Ok((run, _folder)) => match Box::pin(pipeline::produce(&run)).await {
                Ok(produced) => self.done(produced, trace),
                Err(failed) => self.failed(&failed, &watch, trace),
            },
            Err(error) => self.unusable(&error),
        };
        unfinished.ended(&report);
        report
    }

    fn run(
        &self,
        lease: &Lease,
        progress: Arc<dyn Progress>,
        observer: AttemptObserver,
    ) -> anyhow::Result<(Run, Box<dyn Folder>)> {
        let folder = self.folders.folder()?;
        let envelope = lease.envelope();
        let request = Request {
            job: JobId::parse(lease.id())?,
            tenant: lease.tenant().to_owned(),
            source: envelope.source.clone(),
            format: envelope.format,
            options: envelope.options.clone(),
        };
        let run = Run {
            request,
            loudness: self.loudness,
            pronunciation: Arc::clone(&self.pronunciation),
            policies: Arc::clone(&self.policies),
            providers: self.providers.clone(),
            memory: self.memory(lease),
            slots: Arc::clone(&self.slots),
            budget: self.budget.clone(),
            limiter: self.limiter.clone(),
            scratch: folder.path().to_owned(),
            gate: Arc::new(LeaseGate(lease.clone())),
            progress,
            observer: Arc::new(observer),
            cancel: lease.stop().clone(),
        };
        Ok((run, folder))
    }

    /// This host cannot take the job; another may, or this one later. That is no attempt of the job's, or
    /// one full disk would end every job that comes by.
    pub(crate) fn unusable(&self, error: &anyhow::Error) -> Report {
        let message =
            format!("the worker cannot begin the job: {error:#}; look at its STILLCAST_HOME");
        tracing::error!("{message}");
        let error = Some(ErrorReport::new("worker-unusable", message));
        let (reason, wake) = (ParkReason::Unequipped, spread(self.probe_interval));
        Outcome::Park { reason, wake, error }.into()
    }

    fn memory(&self, lease: &Lease) -> Memory {
        let own = Arc::new(LeaseMemory { lease: lease.clone(), teller: self.teller.clone() });
        let share = |cache| Sharing { cache, flights: Arc::clone(&own) as _ };
        let sharing = self.cache.clone().map(share);
        Memory { checkpoints: own, objects: Arc::clone(&self.objects), sharing }
    }

    fn done(&self, produced: Produced, trace: &TracedAttempt) -> Report {
        outcome::count_done(&self.watched.metrics, &produced.stages, trace.trace_id());
        let artifact = &produced.artifact;
        tracing::info!(artifact.bytes, artifact.duration_s, "delivered {}", artifact.key);
        let outcome = Outcome::Done { artifact: Box::new(produced.artifact) };
        Report { outcome, stages: Some(produced.stages), cost: None }
    }

    fn failed(&self, failed: &Failed, watch: &Watch, trace: &TracedAttempt) -> Report {
        let error = &failed.error;
        outcome::count_failed(&self.watched.metrics, failed, &watch.ended(), trace.trace_id());
        if let Some(OtherJob::Flights(flights)) = error.other_job.as_deref() {
            tracing::info!(flights = flights.len(), "parked: waits for other jobs");
        } else if error.park.is_some() {
            tracing::info!(stage = %error.stage, error.code, "parked: {error}");
        } else if error.failure == FailureClass::Interrupted {
            tracing::info!(error.code, "released: {error}");
        } else {
            tracing::warn!(stage = %error.stage, error.code, "attempt failed: {error}");
        }
        let outcome = outcome_of(failed, self.probe_interval);
        Report { outcome, stages: Some(failed.stages.clone()), cost: None }
    }
}

/// Later attempts link to the first one. Without that they only link to nothing.
async fn remember(lease: &Lease, trace: &TracedAttempt) {
    let Some(context) = trace.traceparent() else { return };
    if lease.recall(FIRST_ATTEMPT).is_none() {
        // Where this fails the lease is over.
        let _ = lease.checkpoint(&[(FIRST_ATTEMPT, &context)]).await;
    }
}

/// Counts an attempt that was dropped, or gave its job back, as interrupted.
pub(crate) struct Unfinished<'metrics>(Option<&'metrics Metrics>);

impl<'metrics> Unfinished<'metrics> {
    pub(crate) fn new(metrics: &'metrics Metrics) -> Self {
        Self(Some(metrics))
    }

    /// Another process has counted how it ended.
    pub(crate) fn told(mut self) {
        self.0 = None;
    }

    fn ended(mut self, report: &Report) {
        if !matches!(report.outcome, Outcome::Release) {
            self.0 = None;
        }
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(metrics) = self.0 {
            metrics.interrupted();
        }
    }
}
