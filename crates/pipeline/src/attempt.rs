//! Around every call: slot, gate, tries with time-out and back-off, account.

mod account;
mod activity;
mod admission;
mod backoff;
mod ceiling;
mod ledger;
mod limits;
mod payment;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{Artifact, StageName};
use tokio::sync::SetOnce;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use activity::Activity;
pub use admission::ACCOUNT_LIMIT;
use backoff::Waits;
use ceiling::Ceiling;
pub(crate) use ledger::{Ledger, Price};
pub(crate) use limits::Limits;
use payment::Payment;
pub use payment::{BUDGET_SPENT, BUDGET_UNKNOWN};

use crate::slots::{Slot, is_bought};
use crate::{
    Answer, Call, Failed, FailureClass, Permit, Produced, ProviderError, Run, StageError, Usage,
};

/// One attempt under way.
pub(crate) struct Attempt<'run> {
    pub(crate) run: &'run Run,
    pub(crate) limits: Limits<'run>,
    pub(crate) ledger: Ledger<'run>,
    pub(crate) activity: Activity,
    ceiling: Ceiling,
    /// The first failure: from then on nothing begins and nothing sleeps.
    failure: SetOnce<StageError>,
    /// What was bought and spoilt, by stage and code.
    spoilt: Mutex<Vec<(StageName, &'static str)>>,
}

impl<'run> Attempt<'run> {
    pub(crate) fn begin(run: &'run Run) -> Self {
        let (policies, format) = (&*run.policies, run.request.format);
        let seconds = run.request.options.duration.unwrap_or_default();
        let duration = Duration::from_secs(u64::from(seconds));
        Self {
            run,
            limits: Limits { policies, format, duration, began: Instant::now() },
            ledger: Ledger::new(run),
            activity: Activity::default(),
            ceiling: Ceiling::of(run),
            failure: SetOnce::new(),
            spoilt: Mutex::default(),
        }
    }

    /// Runs the body of a whole stage and closes its account. A stage that stops since another one
    /// has failed fails alike.
    pub(crate) async fn stage<T>(
        &self,
        stage: StageName,
        body: impl Future<Output = Result<T, StageError>>,
    ) -> Result<T, StageError> {
        let done = body.await;
        let record = self.ledger.record(stage);
        if let Some(record) = &record {
            self.run.observer.ended(record, done.as_ref().err().map(|error| error.code));
        }
        let done = done.map_err(|error| self.halt(error))?;
        if let Some(record) = record {
            self.run.progress.stage_ended(&record);
        }
        Ok(done)
    }

    /// One provider's call, in as many tries as the table allows.
    pub(crate) async fn call<T, F, Fut>(&self, called: Call<'_>, call: F) -> Result<T, StageError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Answer<T>, ProviderError>>,
    {
        self.call_priced(called, &Price::default(), call).await
    }

    /// The same, when it is known beforehand that a call will use `price`.
    pub(crate) async fn call_priced<T, F, Fut>(
        &self,
        called: Call<'_>,
        price: &Price,
        call: F,
    ) -> Result<T, StageError>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Answer<T>, ProviderError>>,
    {
        let _busy = self.activity.work();
        let stage = called.stage;
        let limit = self.limits.row(stage).timeout;
        let tries = AtomicU32::new(0);
        self.announce(stage);
        self.retry(stage, || {
            let call = call();
            let observed = Some((called, tries.fetch_add(1, Ordering::Relaxed) + 1));
            self.work(stage, observed, limit, async {
                self.ledger.tried(stage, called.provider);
                let charge = self.ledger.charge(stage, price);
                let answer = call.await;
                charge.settle();
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
        let row = self.limits.row(stage);
        let mut waits = Waits::new(&self.limits, row.backoff.ceilings(row.tries));
        loop {
            let error = match action().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            let (code, failed) = (error.code, error.to_string());
            let delay = waits.after(error)?;
            tracing::warn!(%stage, code, ?delay, "{stage} failed, retrying: {failed}");
            self.unless_halted(stage, sleep(delay)).await?;
        }
    }

    /// THE door: every provider's call and upload begins here, with a slot in hand. Whoever observes
    /// hears of `observed`, a call and its number among the tries.
    pub(crate) async fn work<T>(
        &self,
        stage: StageName,
        observed: Option<(Call<'_>, u32)>,
        limit: Duration,
        call: impl Future<Output = Result<Answer<T>, ProviderError>>,
    ) -> Result<T, StageError> {
        let _busy = self.activity.work();
        let asked = Instant::now();
        let slot = self.slot(stage).await?;
        self.check(stage)?;
        let called = observed.map(|(call, _)| call);
        let mut permit = Box::pin(self.admitted(called, limit)).await?;
        let _payment = Box::pin(self.paid(called)).await?;
        if let Some(permit) = &mut permit {
            permit.begin();
        }
        let _running = self.ledger.running(stage);
        let limit = limit.min(self.limits.time_left(stage));
        let open =
            observed.map(|(call, tried)| self.run.observer.began(&call, asked.elapsed(), tried));
        let answer = timeout(limit, call).await;
        if let Some(open) = open {
            let nothing = Usage::default();
            let (usage, failure) = told(&answer, &nothing);
            open.ended(usage, failure);
        }
        drop(permit);
        self.end(stage, &slot, (answer, limit))
    }

    /// Books what a call has given or wasted, with its slot still in hand.
    fn end<T>(
        &self,
        stage: StageName,
        slot: &Slot<'_>,
        (answer, limit): (Result<Result<Answer<T>, ProviderError>, Elapsed>, Duration),
    ) -> Result<T, StageError> {
        match answer {
            Ok(Ok(answer)) => {
                slot.was_let_in();
                self.ledger.used(stage, &answer.usage);
                Ok(answer.value)
            }
            Ok(Err(error)) => {
                self.ledger.wasted(stage, &error.wasted);
                let error = self.judge(stage, error).at(stage);
                if is_refusal(&error) {
                    slot.was_refused(&error);
                    // Before the slot is free: nothing else of this attempt is sent any more.
                    return Err(self.halt(error));
                }
                Err(error)
            }
            Err(_) => Err(self.limits.timed_out(stage, limit)),
        }
    }

    /// What was paid for and is of no use is an accident once; the next call of the stage that meets
    /// the same is its second try, whatever else it asked for.
    fn judge(&self, stage: StageName, error: ProviderError) -> ProviderError {
        let is_paid = error.wasted != Usage::default();
        let Some(again) = error.again.filter(|_| is_paid) else { return error };
        let mut spoilt = self.spoilt.lock().unwrap_or_else(PoisonError::into_inner);
        if spoilt.contains(&(stage, error.code)) {
            return ProviderError { failure: again, ..error };
        }
        spoilt.push((stage, error.code));
        error
    }

    /// Waits for a place under the limits of the provider's account; none is needed where nobody keeps them,
    /// or nothing is bought. Who is sent away ends the attempt; calls that have a place by then keep it, since
    /// the job parks only to make them later.
    async fn admitted(
        &self,
        call: Option<Call<'_>>,
        hold: Duration,
    ) -> Result<Option<Box<dyn Permit>>, StageError> {
        let Some(limiter) = self.run.limiter.as_deref() else { return Ok(None) };
        let Some(call) = call.filter(|call| call.bought.is_some()) else { return Ok(None) };
        let stage = call.stage;
        let _waiting = self.ledger.waiting(stage);
        loop {
            let patience =
                admission::patience(self.ledger.has_begun(stage), self.limits.time_left(stage));
            let asking = admission::ask(limiter, &call, patience, hold);
            let Some((after, permit)) = self.unless_halted(stage, asking).await?? else {
                return Ok(None);
            };
            let due = Instant::now() + after;
            tokio::select! {
                biased;
                () = self.failed_for_good() => return Err(StageError::halted(stage)),
                () = sleep(after) => {}
            }
            self.may_begin(stage)?;
            if due.elapsed() < admission::OVERSLEPT {
                return Ok(Some(permit));
            }
        }
    }

    /// Takes the price of what is bought out of what its tenant may spend today.
    async fn paid(&self, call: Option<Call<'_>>) -> Result<Option<Payment<'_>>, StageError> {
        let Some(budget) = self.run.budget.as_deref() else { return Ok(None) };
        let Some(call) = call.filter(|call| call.bought.is_some()) else { return Ok(None) };
        let whose = (self.run.request.tenant.as_str(), &self.ledger);
        let payment = Payment::take(budget, whose, &call).await?;
        self.may_begin(call.stage)?;
        Ok(Some(payment))
    }

    /// Returns when the attempt fails for any other reason than an account's limit.
    async fn failed_for_good(&self) {
        if self.failure.wait().await.code == ACCOUNT_LIMIT {
            std::future::pending::<()>().await;
        }
    }

    async fn slot(&self, stage: StageName) -> Result<Slot<'_>, StageError> {
        let _waiting = self.ledger.waiting(stage);
        let slot = timeout(self.limits.time_left(stage), self.run.slots.acquire(stage));
        let slot = self.unless_halted(stage, slot).await?;
        slot.map_err(|_| self.limits.out_of_time(stage))?
    }

    /// Whether a call of `stage` may begin.
    pub(crate) fn check(&self, stage: StageName) -> Result<(), StageError> {
        if self.failure.initialized() {
            return Err(StageError::halted(stage));
        }
        self.may_begin(stage)
    }

    /// The same, whatever became of others.
    fn may_begin(&self, stage: StageName) -> Result<(), StageError> {
        if self.limits.time_left(stage).is_zero() {
            return Err(self.limits.out_of_time(stage));
        }
        self.run.gate.check().map_err(|why| StageError::interrupted(stage, why))?;
        if is_bought(stage) {
            self.ceiling.check(stage, self.ledger.wasted_by_job())?;
        }
        Ok(())
    }

    /// Waits, unless another stage fails meanwhile.
    pub(crate) async fn unless_halted<T>(
        &self,
        stage: StageName,
        wait: impl Future<Output = T>,
    ) -> Result<T, StageError> {
        tokio::select! {
            biased;
            _ = self.failure.wait() => Err(StageError::halted(stage)),
            done = wait => Ok(done),
        }
    }

    /// Stops everything that has not begun; answers the attempt's first failure, which is `error`
    /// unless there was another before.
    pub(crate) fn halt(&self, error: StageError) -> StageError {
        // A second failure is a consequence of the first, or comes too late.
        let _ = self.failure.set(error.clone());
        self.failure.get().cloned().unwrap_or(error)
    }

    /// Tells, once, that `stage` is what the job is now about.
    pub(crate) fn announce(&self, stage: StageName) {
        if self.ledger.announce(stage) {
            self.run.progress.stage_began(stage);
        }
    }

    /// A result of `stage` that nobody had to pay for now; `usd` is what it cost another job.
    pub(crate) fn recalled(&self, stage: StageName, usd: f64) {
        self.announce(stage);
        self.ledger.recalled(stage, self.run.providers.name_of(stage), usd);
    }

    /// The end of an attempt that has delivered.
    pub(crate) fn produced(&self, artifact: Artifact) -> Produced {
        Produced { artifact, stages: self.ledger.records(), cost: self.ledger.cost() }
    }

    /// The end of an attempt that failed.
    pub(crate) fn failed(&self, error: StageError) -> Failed {
        Failed { error, stages: self.ledger.records(), cost: self.ledger.cost() }
    }

    /// The end of an attempt that was cut off.
    pub(crate) fn cancelled(&self) -> Failed {
        let records = self.ledger.records();
        let stage = records.last().map_or(StageName::Collection, |record| record.stage);
        let message = "the attempt was cancelled";
        let cancelled = StageError::new(stage, FailureClass::Interrupted, "cancelled", message);
        self.failed(self.failure.get().cloned().unwrap_or(cancelled))
    }
}

/// What an observer hears of a call's end.
fn told<'end, T>(
    answer: &'end Result<Result<Answer<T>, ProviderError>, Elapsed>,
    nothing: &'end Usage,
) -> (&'end Usage, Option<&'static str>) {
    match answer {
        Ok(Ok(answer)) => (&answer.usage, None),
        Ok(Err(error)) => (&error.wasted, Some(error.code)),
        Err(_) => (nothing, Some("timeout")),
    }
}

fn is_refusal(error: &StageError) -> bool {
    error.failure == FailureClass::Misconfigured
}
