//! Requests go in, side by side but those of one text; what became of each comes out.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use pipeline::{ACCOUNT_LIMIT, BUDGET_SPENT, Progress};
use pipeline::{
    Budget, FailureClass, Memory, Quote, Request, Run, SharedCache, StageError, Unobserved,
};
use stillcast_enqueue::{StageName, StageRecord};
use tokio::time::sleep;

use super::capped_budget::CappedBudget;
use super::requests::Requests;
use super::stop::{Stop, Why};
use super::tally::{Counts, Fault, Outcome, State};
use crate::job_handler::{Folder, JobHandler};

/// Attempts of a request.
const ATTEMPTS: u32 = 5;
/// The wait behind the first one; each further is twice as long.
const BACKOFF: Duration = Duration::from_secs(5);
/// Longest wait for a place under the limits of an account.
const LONGEST: Duration = Duration::from_mins(10);

/// All requests of one run.
pub(super) struct Round {
    handler: JobHandler,
    cache: Arc<dyn SharedCache>,
    budget: Option<Arc<CappedBudget>>,
    stop: Stop,
}

impl Round {
    pub(super) fn new(
        handler: JobHandler,
        budget: Option<Arc<CappedBudget>>,
        stop: Stop,
    ) -> anyhow::Result<Self> {
        let cache = handler.cache.clone().ok_or_else(|| anyhow::anyhow!("there is no cache"))?;
        Ok(Self { handler, cache, budget, stop })
    }

    /// How many are warm, and what of the others is missing.
    pub(super) async fn price(&self, requests: &Requests) -> anyhow::Result<(usize, Quote)> {
        let quotes = stream::iter(requests.lines()).map(|(_, request)| self.quote(request));
        let abreast = self.handler.policies.row(StageName::Collection).slots;
        let add = |(warm, mut all): (usize, Quote), quote: Quote| {
            let is_warm = quote.is_empty();
            all.merge(quote);
            std::future::ready(Ok((warm + usize::from(is_warm), all)))
        };
        quotes.buffer_unordered(abreast).try_fold((0, Quote::default()), add).await
    }

    async fn quote(&self, request: &Request) -> anyhow::Result<Quote> {
        let (run, _folder) = self.run(request, self.memory())?;
        Ok(pipeline::quote(&run).await)
    }

    /// Buys what is missing; tells of each request.
    pub(super) async fn buy(
        &self,
        requests: Requests,
        tell: impl Fn(&Outcome) -> anyhow::Result<()>,
    ) -> anyhow::Result<Counts> {
        let abreast = self.handler.policies.row(StageName::Transcript).slots;
        let groups = stream::iter(requests.by_text()).map(|group| {
            stream::iter(group).then(|(line, request)| self.warm(line, request)).boxed()
        });
        let mut outcomes = groups.flatten_unordered(abreast);
        let mut counts = Counts::default();
        while let Some(outcome) = outcomes.next().await {
            let outcome = outcome?;
            counts.count(&outcome);
            tell(&outcome)?;
        }
        counts.stopped(self.stop.why());
        Ok(counts)
    }

    async fn warm(&self, line: usize, request: Request) -> anyhow::Result<Outcome> {
        let (memory, mut usd) = (self.memory(), 0.0);
        let outcome = |state, usd, error| Outcome { line, state, usd, error };
        let (mut attempts, mut backoff) = (0, BACKOFF);
        while self.stop.why().is_none() {
            let (run, _folder) = self.run(&request, memory.clone())?;
            if attempts == 0 && pipeline::quote(&run).await.is_empty() {
                return Ok(outcome(State::Warm, usd, None));
            }
            let failed = match Box::pin(pipeline::warm(&run)).await {
                Ok(warmed) => {
                    usd += warmed.cost.spent_usd + warmed.cost.wasted_usd;
                    let (state, error) = kept(&run).await;
                    return Ok(outcome(state, usd, error));
                }
                Err(failed) => failed,
            };
            usd += failed.cost.spent_usd + failed.cost.wasted_usd;
            attempts += 1;
            match self.judge(&failed.error, (attempts, backoff)) {
                Next::Left => break,
                Next::Failed => {
                    return Ok(outcome(State::Failed, usd, Some(Fault::of(&failed.error))));
                }
                Next::Again(wait) => {
                    self.stop.begun().run_until_cancelled(sleep(wait)).await;
                    backoff *= 2;
                }
                Next::InTurn(wait) => {
                    attempts -= 1;
                    self.stop.begun().run_until_cancelled(sleep(wait)).await;
                }
            }
        }
        Ok(outcome(State::Left, usd, None))
    }

    /// What a failure means; what would fail every request stops all.
    fn judge(&self, error: &StageError, (attempts, backoff): (u32, Duration)) -> Next {
        if error.code == BUDGET_SPENT {
            self.stop.stop(Why::MaxCost);
            return Next::Left;
        }
        if error.code == ACCOUNT_LIMIT {
            return Next::InTurn(error.park.unwrap_or(backoff).min(LONGEST));
        }
        match error.failure {
            FailureClass::Interrupted => Next::Left,
            FailureClass::Misconfigured | FailureClass::Unequipped => {
                self.stop.stop(Why::Fault(error.to_string()));
                Next::Left
            }
            FailureClass::Transient { retry_after } if attempts < ATTEMPTS => {
                let asked = error.park.or(retry_after).unwrap_or_default();
                Next::Again(asked.max(backoff).min(LONGEST))
            }
            FailureClass::Transient { .. } | FailureClass::Permanent => Next::Failed,
        }
    }

    fn memory(&self) -> Memory {
        Memory::of_warming(Arc::clone(&self.handler.objects), Arc::clone(&self.cache))
    }

    fn run(&self, request: &Request, memory: Memory) -> anyhow::Result<(Run, Box<dyn Folder>)> {
        let folder = self.handler.folders.folder()?;
        let handler = &self.handler;
        let run = Run {
            request: request.clone(),
            loudness: handler.loudness,
            pronunciation: Arc::clone(&handler.pronunciation),
            policies: Arc::clone(&handler.policies),
            providers: handler.providers.clone(),
            memory,
            slots: Arc::clone(&handler.slots),
            budget: self.budget.clone().map(|budget| budget as Arc<dyn Budget>),
            limiter: handler.limiter.clone(),
            scratch: folder.path().to_owned(),
            gate: Arc::new(self.stop.clone()),
            progress: Arc::new(Unheard),
            observer: Arc::new(Unobserved),
            cancel: self.stop.dropped().clone(),
        };
        Ok((run, folder))
    }
}

/// What follows from a failure.
enum Next {
    /// The request stays as it is.
    Left,
    Failed,
    /// Another attempt after this wait.
    Again(Duration),
    /// The same attempt after this wait: others were first.
    InTurn(Duration),
}

/// Whether the others will find it.
async fn kept(run: &Run) -> (State, Option<Fault>) {
    if pipeline::quote(run).await.is_empty() {
        return (State::Made, None);
    }
    let message = "it was made, and the shared cache or the store did not keep it; `stillcast doctor` says what is \
                   wrong with them"
        .to_owned();
    (State::Failed, Some(Fault { code: "not-kept", message }))
}

/// Nobody asks how far a request has come.
struct Unheard;

impl Progress for Unheard {
    fn stage_began(&self, _: StageName) {}

    fn stage_ended(&self, _: &StageRecord) {}
}
