//! A lease goes in, a run of the pipeline under it, and a report comes out.

mod memory;
mod outcome;
mod watch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{
    Failed, FailureClass, Gate, Memory, ObjectStore, OtherJob, Policies, Produced, Progress,
    Providers, Request, Run, SharedCache, Sharing, Slots,
};
use queue::{Handler, Interrupted, Lease, Outcome, Report};
use stillcast_enqueue::{ErrorReport, JobId};
use telemetry::Metrics;
use tracing::Instrument;

use memory::LeaseMemory;
use outcome::outcome_of;
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

/// What all attempts of a worker share.
pub(crate) struct JobHandler {
    pub(crate) providers: Providers,
    /// Keeps what jobs remember.
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// What jobs share; `None` when they share nothing.
    pub(crate) cache: Option<Arc<dyn SharedCache>>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) folders: Box<dyn Folders>,
    pub(crate) metrics: Arc<Metrics>,
    /// How long a job waits for somebody to mend a provider's account or set-up.
    pub(crate) probe_interval: Duration,
}

#[async_trait]
impl Handler for JobHandler {
    async fn attempt(&self, lease: Lease) -> Report {
        let trace_id = lease.traceparent().and_then(telemetry::trace_id);
        let format = lease.envelope().format;
        let span = tracing::info_span!("job", trace_id, job.format = %format);
        Box::pin(self.produce(&lease)).instrument(span).await
    }
}

impl JobHandler {
    async fn produce(&self, lease: &Lease) -> Report {
        let unfinished = Unfinished(Some(&self.metrics));
        let watch = Watch::start(lease.clone());
        let report = match self.run(lease, watch.progress()) {
            Ok((run, _folder)) => match Box::pin(pipeline::produce(&run)).await {
                Ok(produced) => self.done(produced),
                Err(failed) => self.failed(&failed, &watch),
            },
            Err(error) => unusable(&error),
        };
        unfinished.ended(&report);
        report
    }

    fn run(
        &self,
        lease: &Lease,
        progress: Arc<dyn Progress>,
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
            policies: Arc::clone(&self.policies),
            providers: self.providers.clone(),
            memory: self.memory(lease),
            slots: Arc::clone(&self.slots),
            scratch: folder.path().to_owned(),
            gate: Arc::new(LeaseGate(lease.clone())),
            progress,
            cancel: lease.stop().clone(),
        };
        Ok((run, folder))
    }

    fn memory(&self, lease: &Lease) -> Memory {
        let own = Arc::new(LeaseMemory(lease.clone()));
        let share = |cache| Sharing { cache, flights: Arc::clone(&own) as _ };
        let sharing = self.cache.clone().map(share);
        Memory { checkpoints: own, objects: Arc::clone(&self.objects), sharing }
    }

    fn done(&self, produced: Produced) -> Report {
        outcome::count_done(&self.metrics, &produced.stages);
        let artifact = &produced.artifact;
        tracing::info!(artifact.bytes, artifact.duration_s, "delivered {}", artifact.key);
        let outcome = Outcome::Done { artifact: Box::new(produced.artifact) };
        Report { outcome, stages: Some(produced.stages), cost: None }
    }

    fn failed(&self, failed: &Failed, watch: &Watch) -> Report {
        let error = &failed.error;
        outcome::count_failed(&self.metrics, failed, &watch.ended());
        if let Some(OtherJob::Flights(flights)) = error.other_job.as_deref() {
            tracing::info!(flights = flights.len(), "parked: waits for other jobs");
        } else if error.failure == FailureClass::Interrupted {
            tracing::info!(error.code, "released: {error}");
        } else {
            tracing::warn!(stage = %error.stage, error.code, "attempt failed: {error}");
        }
        let outcome = outcome_of(failed, self.probe_interval);
        Report { outcome, stages: Some(failed.stages.clone()), cost: None }
    }
}

/// This host cannot take the job; another may, or this one later.
fn unusable(error: &anyhow::Error) -> Report {
    let message = format!("the worker cannot begin the job: {error:#}");
    tracing::error!("{message}");
    let error = ErrorReport::new("worker-unusable", message);
    Outcome::Retry { after: None, error }.into()
}

/// Counts an attempt that was dropped, or gave its job back, as interrupted.
struct Unfinished<'metrics>(Option<&'metrics Metrics>);

impl Unfinished<'_> {
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

/// Whether a paid call may begin is the lease's to say.
struct LeaseGate(Lease);

impl Gate for LeaseGate {
    fn check(&self) -> Result<(), pipeline::Interrupted> {
        self.0.check().map_err(|why| pipeline::Interrupted { reason: reason(why) })
    }

    fn check_finish(&self) -> Result<(), pipeline::Interrupted> {
        match self.0.check() {
            Ok(()) | Err(Interrupted::Draining) => Ok(()),
            Err(why) => Err(pipeline::Interrupted { reason: reason(why) }),
        }
    }
}

/// A stable word.
fn reason(why: Interrupted) -> &'static str {
    match why {
        Interrupted::LeaseLost => "lease-lost",
        Interrupted::Cancelled => "cancelled",
        Interrupted::DeadlinePassed => "deadline",
        Interrupted::Draining => "drain",
    }
}
