//! The calls that a worker makes for itself: it claims, renews all its leases, reaps and leaves.

use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{RedisResult, ScriptInvocation, Value};
use stillcast_enqueue::StageName;

use super::arguments::{crashed, millis, no_progress};
use super::lease_calls::{Ending, add_endings};
use super::{Scripts, Verb};
use crate::answers::{Claim, Claims, Reported, understand_claims};
use crate::{Limits, QueueError};

/// Leases that one call renews: a longer script would hold up everybody else on the same Redis.
pub(crate) const LEASES_A_CALL: usize = 100;
/// Attempts that one call begins.
pub(crate) const BEGINS_A_CALL: usize = 20;
/// Reports that one call takes.
pub(crate) const REPORTS_A_CALL: usize = 20;

/// Who claims, and how.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'call> {
    /// The worker; it must have the free slots.
    pub worker: &'call str,
    /// Made anew for each claim: a claim repeated by its nonce is the same claim.
    pub nonce: &'call str,
    /// How long the lease shall last.
    pub lease_ttl: Duration,
    /// Jobs that the worker holds now.
    pub held: usize,
}

impl ClaimRequest<'_> {
    /// The values of `claim_at` in `lua/claim_preamble.lua`.
    fn add_to(&self, call: &mut ScriptInvocation<'_>, free: usize) {
        let Self { worker, nonce, lease_ttl, held } = *self;
        call.arg(worker).arg(nonce).arg(millis(lease_ttl)).arg(held).arg(free);
    }
}

/// The answer to one report: a word, and the job's state.
type Words = (String, String);

/// How a worker stands: what those who ask why a job waits must know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'call> {
    /// The worker.
    pub(crate) worker: &'call str,
    /// How long its leases last.
    pub(crate) lease_ttl: Duration,
    /// Jobs that it may hold at once.
    pub(crate) slots: usize,
    /// Jobs that it holds now.
    pub(crate) held: usize,
    /// The stage that refuses it, if it knows which, and until its next probe.
    pub(crate) refused: Option<(Option<StageName>, Duration)>,
}

/// How a call reaps, and by which limits.
#[derive(Clone, Copy, Debug)]
pub struct ReapRequest<'call> {
    /// The lease by which a gap is judged.
    pub lease_ttl: Duration,
    /// Ends every lease: only where nobody else can hold one.
    pub everything: bool,
    /// When the caller's last reap was answered, by the answer's own `now`; longer than half a lease
    /// ago proves a stall. `None` before the first one.
    pub answered_ms: Option<i64>,
    /// A reap by anybody that is not older need not be repeated; the answer is then the one number
    /// `fresh`, the ms until it will be. Zero reaps in any case.
    pub fresh: Duration,
    /// When a job without progress is dead, and how long records live.
    pub limits: &'call Limits,
}

impl Scripts {
    /// The best-ranked ready job, leased to the worker.
    pub async fn claim(
        &self,
        connection: &mut impl ConnectionLike,
        request: &ClaimRequest<'_>,
    ) -> Result<Claim, QueueError> {
        match self.claim_many(connection, request, 1).await? {
            Claims::Jobs(mut jobs) => {
                let job = jobs.pop().ok_or_else(|| QueueError::Protocol {
                    script: "claim",
                    answer: "no job".to_owned(),
                })?;
                Ok(Claim::Job(Box::new(job)))
            }
            Claims::Nothing { why, next_due } => Ok(Claim::Nothing { why, next_due }),
        }
    }

    /// The best-ranked ready jobs, leased to the worker: one for each of `free` slots at most, 1 to 500,
    /// and no more than its share of what waits.
    pub async fn claim_many(
        &self,
        connection: &mut impl ConnectionLike,
        request: &ClaimRequest<'_>,
        free: usize,
    ) -> Result<Claims, QueueError> {
        let mut call = self.call(Verb::Claim);
        request.add_to(&mut call, free);
        understand_claims(call.invoke_async::<Vec<Value>>(connection).await?)
    }

    /// Ends leases, at most [`REPORTS_A_CALL`], and claims for `free` slots, 1 to 500: both in one call. What
    /// became of each report, in order, and of the claim.
    pub(crate) async fn exchange(
        &self,
        connection: &mut impl ConnectionLike,
        endings: &[Ending<'_>],
        limits: &Limits,
        (request, free): (&ClaimRequest<'_>, usize),
    ) -> Result<(Vec<Reported>, Claims), QueueError> {
        let mut call = self.call(Verb::Exchange);
        request.add_to(&mut call, free);
        add_endings(&mut call, limits, endings.iter().copied());
        let (reported, claimed): (Vec<Words>, Vec<Value>) = call.invoke_async(connection).await?;
        let reported = reported.into_iter().map(Reported::from_words);
        Ok((reported.collect::<Result<_, _>>()?, understand_claims(claimed)?))
    }

    /// Ends leases, at most [`REPORTS_A_CALL`]; what became of each report, in order.
    pub(crate) async fn report_all(
        &self,
        connection: &mut impl ConnectionLike,
        endings: &[Ending<'_>],
        limits: &Limits,
    ) -> Result<Vec<Reported>, QueueError> {
        let mut call = self.call(Verb::Report);
        add_endings(&mut call, limits, endings.iter().copied());
        let reported: Vec<Words> = call.invoke_async(connection).await?;
        reported.into_iter().map(Reported::from_words).collect()
    }

    /// Attempts begin, given as id and token, at most 20; whether each token is current, in
    /// order.
    pub async fn begin<'job>(
        &self,
        connection: &mut impl ConnectionLike,
        leases: impl IntoIterator<Item = (&'job str, &'job str)>,
    ) -> RedisResult<Vec<bool>> {
        let mut call = self.call(Verb::Begin);
        for (id, token) in leases {
            call.arg(id).arg(token);
        }
        let words: Vec<String> = call.invoke_async(connection).await?;
        Ok(words.iter().map(|word| word == "ok").collect())
    }

    /// Says how the worker stands and renews leases, given as id and token, at most [`LEASES_A_CALL`]; one word a job: `ok`, `cancel` or `stale`.
    pub(crate) fn renew<'job>(
        &self,
        standing: &Standing<'_>,
        leases: impl IntoIterator<Item = (&'job str, &'job str)>,
    ) -> ScriptInvocation<'_> {
        let mut call = self.call(Verb::Renew);
        let Standing { worker, lease_ttl, slots, held, refused } = *standing;
        call.arg(worker).arg(millis(lease_ttl)).arg(slots).arg(held);
        let word = refused.map_or("", |(stage, _)| stage.map_or("any", StageName::as_str));
        let probe = refused.map_or(Duration::ZERO, |(_, wait)| wait);
        call.arg(word).arg(millis(probe));
        for (id, token) in leases {
            call.arg(id).arg(token);
        }
        call
    }

    /// Whether there is anything that a claim would look at; without it a claim finds nothing.
    pub(crate) async fn claimable(
        &self,
        connection: &mut impl ConnectionLike,
    ) -> RedisResult<bool> {
        let keys = ["ready", "delayed", "parked", "landed"].map(|word| self.keys().named(word));
        let there: u64 = redis::cmd("EXISTS").arg(&keys).query_async(connection).await?;
        Ok(there > 0)
    }

    /// What time alone decides; the answer is pairs of a name and a number.
    pub fn reap(&self, request: &ReapRequest<'_>) -> ScriptInvocation<'_> {
        let ReapRequest { lease_ttl, everything, answered_ms, fresh, limits } = *request;
        let mut call = self.call(Verb::Reap);
        call.arg(millis(lease_ttl)).arg(if everything { "all" } else { "" });
        call.arg(limits.worker_deaths).arg(crashed()).arg(limits.interruptions).arg(no_progress());
        call.arg(millis(limits.records_live)).arg(limits.max_records);
        call.arg(millis(limits.dead_live)).arg(limits.max_dead);
        call.arg(answered_ms.map_or_else(String::new, |ms| ms.to_string())).arg(millis(fresh));
        call
    }

    /// What a worker has counted, by name, goes into the history.
    pub(crate) async fn tally(
        &self,
        connection: &mut impl ConnectionLike,
        counted: &[(String, u64)],
    ) -> RedisResult<()> {
        let mut call = self.call(Verb::Tally);
        for (name, count) in counted {
            call.arg(name).arg(count);
        }
        let (_begun, roomless): (u64, u64) = call.invoke_async(connection).await?;
        if roomless > 0 {
            tracing::warn!(roomless, "the queue's history has no room for more names");
        }
        Ok(())
    }

    /// A worker announces that it leaves (`leaving`), or has left (`gone`).
    pub(crate) async fn drain(
        &self,
        connection: &mut impl ConnectionLike,
        worker: &str,
        step: &str,
    ) -> RedisResult<u64> {
        self.call(Verb::Drain).arg(worker).arg(step).invoke_async(connection).await
    }
}
