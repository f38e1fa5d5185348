//! Around every call: slot, gate, tries with time-out and back-off, account.

mod books;
mod limits;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{Artifact, Cost, Format, JobId, Options, Source, StageName, StageRecord};
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use books::PendingCharge;

use crate::activity::Activity;
use crate::cache_key::CacheKeys;
use crate::error::RepeatedCodes;
use crate::ledger::{InPhase, Ledger};
use crate::{
    Answer, Failed, FailureClass, Gate, Memory, OtherJob, Policies, Progress, ProviderError,
    Providers, Slots, StageError, StagePolicy, Usage,
};

/// What shall be produced.
#[derive(Clone, Debug)]
pub struct Request {
    /// The job.
    pub job: JobId,
    /// Whose job it is.
    pub tenant: String,
    /// What it is about.
    pub source: Source,
    /// What the file is.
    pub format: Format,
    /// How it should sound.
    pub options: Options,
}

/// Everything that one attempt of a job needs.
pub struct Run {
    /// What shall be produced.
    pub request: Request,
    /// The policy table.
    pub policies: Arc<Policies>,
    /// The outside.
    pub providers: Providers,
    /// What it remembers, and shares.
    pub memory: Memory,
    /// The process's slots.
    pub slots: Arc<Slots>,
    /// A folder of this attempt alone; the caller removes it.
    pub scratch: PathBuf,
    /// Says whether a call may begin.
    pub gate: Arc<dyn Gate>,
    /// Hears how far it has come.
    pub progress: Arc<dyn Progress>,
    /// Cancelled, it drops everything in flight.
    pub cancel: CancellationToken,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("request", &self.request).finish_non_exhaustive()
    }
}

/// A delivered file, and what its stages did.
#[derive(Clone, Debug, PartialEq)]
pub struct Produced {
    /// The file.
    pub artifact: Artifact,
    /// The account of each stage, in travel order.
    pub stages: Vec<StageRecord>,
    /// What this attempt has cost.
    pub cost: Cost,
}

/// One attempt under way.
pub(crate) struct Attempt<'run> {
    pub(crate) run: &'run Run,
    ledger: Ledger,
    /// Cancelled at the first failure: from then on nothing begins and nothing sleeps.
    halt: CancellationToken,
    cause: Mutex<Option<StageError>>,
    /// What other jobs have to do with its end, under the code of the failure that says so.
    other_job: Mutex<Option<(&'static str, OtherJob)>>,
    pub(crate) activity: Activity,
    began: Instant,
}

/// A branch that ended early; why is the attempt's to say.
#[derive(Debug)]
pub(crate) struct Halted;

impl<'run> Attempt<'run> {
    pub(crate) fn begin(run: &'run Run) -> Self {
        Self {
            run,
            ledger: Ledger::default(),
            halt: CancellationToken::new(),
            cause: Mutex::default(),
            other_job: Mutex::default(),
            activity: Activity::default(),
            began: Instant::now(),
        }
    }

    /// Runs the body of a whole stage and closes its account.
    pub(crate) async fn stage<T>(
        &self,
        stage: StageName,
        body: impl Future<Output = Result<T, StageError>>,
    ) -> Result<T, Halted> {
        let done = body.await.map_err(|error| self.halt(error))?;
        if let Some(record) = self.ledger.record(stage) {
            self.run.progress.stage_ended(&record);
        }
        Ok(done)
    }

    /// One provider's call, in as many tries as the table allows.
    pub(crate) async fn call<T, F, Fut>(
        &self,
        stage: StageName,
        provider: &'static str,
        call: F,
    ) -> Result<T, StageError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Answer<T>, ProviderError>>,
    {
        self.call_priced(stage, provider, &Usage::default(), call).await
    }

    /// The same, when it is known beforehand that a call will use `price`.
    pub(crate) async fn call_priced<T, F, Fut>(
        &self,
        stage: StageName,
        provider: &'static str,
        price: &Usage,
        call: F,
    ) -> Result<T, StageError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Answer<T>, ProviderError>>,
    {
        let _busy = self.activity.work();
        let limit = self.row(stage).timeout;
        self.announce(stage);
        self.retry(stage, || {
            let call = call();
            self.work(stage, limit, async {
                self.tried(stage, provider);
                let open = PendingCharge { attempt: self, stage, price: Some(price.clone()) };
                let answer = call.await;
                open.settle();
                answer
            })
        })
        .await
    }

    /// Tries `action` until it succeeds, fails for good, or would have to wait too long.
    pub(crate) async fn retry<T, F, Fut>(
        &self,
        stage: StageName,
        action: F,
    ) -> Result<T, StageError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, StageError>>,
    {
        let row = self.row(stage);
        let mut ceilings = row.backoff.ceilings(row.tries);
        let mut repeated = RepeatedCodes::default();
        loop {
            let error = match action().await {
                Ok(done) => return Ok(done),
                Err(error) => repeated.judge(error),
            };
            let delay = self.delay(&error, ceilings.next()).map_err(|verdict| *verdict)?;
            tracing::warn!(%stage, code = error.code, ?delay, "{stage} failed, retrying: {error}");
            self.unless_halted(stage, sleep(delay)).await?;
        }
    }

    /// THE door: every provider's call and upload begins here, with a slot in hand.
    pub(crate) async fn work<T>(
        &self,
        stage: StageName,
        limit: Duration,
        call: impl Future<Output = Result<Answer<T>, ProviderError>>,
    ) -> Result<T, StageError> {
        let _busy = self.activity.work();
        let _slot = self.slot(stage).await?;
        self.check(stage)?;
        let _running = self.running(stage);
        let limit = limit.min(self.time_left(stage));
        match timeout(limit, call).await {
            Ok(Ok(answer)) => {
                self.used(stage, &answer.usage);
                Ok(answer.value)
            }
            Ok(Err(error)) => {
                self.wasted(stage, &error.wasted);
                Err(error.at(stage))
            }
            Err(_) => Err(self.timed_out(stage, limit)),
        }
    }

    /// What the job's results are called.
    pub(crate) fn recipe(&self) -> CacheKeys<'run> {
        CacheKeys { request: &self.run.request, providers: &self.run.providers }
    }

    /// Notes what other jobs have to do with the failure of this `code`.
    pub(crate) fn note_other_job(&self, code: &'static str, other_job: OtherJob) {
        let mut noted = self.other_job.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert((code, other_job));
    }

    /// The first failure, if there was one.
    pub(crate) fn cause(&self) -> Option<StageError> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the first failure and stops everything that has not begun.
    pub(crate) fn halt(&self, error: StageError) -> Halted {
        let mut cause = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        cause.get_or_insert(error);
        self.halt.cancel();
        Halted
    }

    /// Tells, once, that `stage` is what the job is now about.
    pub(crate) fn announce(&self, stage: StageName) {
        if self.ledger.announce(stage) {
            self.run.progress.stage_began(stage);
        }
    }

    /// Counts a try that has begun.
    pub(crate) fn tried(&self, stage: StageName, provider: &'static str) {
        self.ledger.tried(stage, provider);
    }

    pub(crate) fn row(&self, stage: StageName) -> &StagePolicy {
        self.run.policies.row(stage)
    }

    pub(crate) fn records(&self) -> Vec<StageRecord> {
        self.ledger.records()
    }

    /// The end of an attempt that was halted or cancelled.
    pub(crate) fn failed(&self) -> Failed {
        let stages = self.records();
        let error = self.cause().unwrap_or_else(|| {
            let stage = stages.last().map_or(StageName::Collection, |record| record.stage);
            StageError::new(
                stage,
                FailureClass::Interrupted,
                "cancelled",
                "the attempt was cancelled",
            )
        });
        let noted = self.other_job.lock().unwrap_or_else(PoisonError::into_inner).take();
        let other_job = noted.filter(|(code, _)| *code == error.code).map(|(_, noted)| noted);
        Failed { error, stages, cost: self.cost(), other_job }
    }

    async fn slot(&self, stage: StageName) -> Result<SemaphorePermit<'_>, StageError> {
        let _waiting = self.ledger.waiting(stage);
        let left = self.time_left(stage);
        let slot = timeout(left, self.run.slots.acquire(stage));
        self.unless_halted(stage, slot).await?.map_err(|_| self.out_of_time(stage))
    }

    fn running(&self, stage: StageName) -> InPhase<'_> {
        self.ledger.running(stage)
    }

    pub(crate) fn check(&self, stage: StageName) -> Result<(), StageError> {
        if self.halt.is_cancelled() {
            return Err(StageError::halted(stage));
        }
        if self.time_left(stage).is_zero() {
            return Err(self.out_of_time(stage));
        }
        self.run.gate.check().map_err(|interrupted| {
            StageError::new(
                stage,
                FailureClass::Interrupted,
                interrupted.reason,
                interrupted.to_string(),
            )
        })
    }

    pub(crate) async fn unless_halted<T>(
        &self,
        stage: StageName,
        wait: impl Future<Output = T>,
    ) -> Result<T, StageError> {
        self.halt.run_until_cancelled(wait).await.ok_or_else(|| StageError::halted(stage))
    }
}
