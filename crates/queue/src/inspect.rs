//! What anyone may look at and an operator may mend: identifiers and wishes go in, records, counts
//! and typed answers come out.

mod announcements;
mod listing;
mod stats;

use std::time::Duration;

use redis::aio::ConnectionManager;
use stillcast_enqueue::{CancelAnswer, JobRecord, RawHash, State};
use tokio::time::timeout;

pub use announcements::{Announcement, Announcements};
pub use listing::{Cursor, MAX_PAGE, Page};
pub use stats::{QueueStats, StateCounts};

use crate::scripts::{Clock, Scripts, Verb};
use crate::{Endpoint, Limits, QueueError, Reaped, ServerReport, Verified};

/// How long one call may take.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Only the gap rule reads it, and [`Inspector::reap_everything`] leaves no lease to judge.
const ANY_LEASE: Duration = Duration::from_secs(30);
/// Leases that one call of the reaper ends at most.
const LEASES_A_REAP: u64 = 500;

/// What a replay did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayAnswer {
    /// It is ready, its counters reset, its checkpoints kept.
    Ready,
    /// Only dead jobs are replayed; this one is in another state.
    NotDead(State),
    /// Its request is gone: a dead job keeps it for seven days.
    BodyGone,
    /// Its idempotency key now belongs to this other job.
    Duplicate(String),
    /// No record by this identifier.
    Unknown,
}

/// What a purge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeAnswer {
    /// The record is gone.
    Purged,
    /// Only ended jobs are purged; this one is in this state.
    NotEnded(State),
    /// No record by this identifier.
    Unknown,
}

/// An operator's hands on one queue. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Inspector {
    endpoint: Endpoint,
    scripts: Scripts,
    connection: ConnectionManager,
}

impl Inspector {
    /// Connects; fails when Redis cannot be reached within five seconds.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, QueueError> {
        let opening = timeout(CALL_TIMEOUT, endpoint.shared(CALL_TIMEOUT));
        let connection = opening.await.map_err(|_| silent())??;
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        Ok(Self { endpoint, scripts, connection })
    }

    /// Refuses a server that would lose jobs; says what may.
    pub async fn examine(&self) -> Result<ServerReport, QueueError> {
        self.endpoint.examine(&mut self.connection.clone()).await
    }

    /// One consistent look at the whole queue, at constant cost.
    pub async fn stats(&self) -> Result<QueueStats, QueueError> {
        let call = self.scripts.call(Verb::Stats);
        let answer: Vec<i64> = call.invoke_async(&mut self.connection.clone()).await?;
        QueueStats::from_answer(self.endpoint.keys().prefix(), &answer)
    }

    /// Whether the queue keeps its promises; takes time in proportion to its keys, and locks nothing.
    pub async fn verify(&self) -> Result<Verified, QueueError> {
        crate::verify(&self.scripts, &mut self.connection.clone()).await
    }

    /// The records of `ids`, in order; `None` for an unknown or purged one.
    pub async fn records(
        &self,
        ids: &[impl AsRef<str>],
    ) -> Result<Vec<Option<JobRecord>>, QueueError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for id in ids {
            pipeline.hgetall(self.endpoint.keys().job(id.as_ref()));
        }
        let hashes: Vec<RawHash> = pipeline.query_async(&mut self.connection.clone()).await?;
        Ok(ids
            .iter()
            .zip(hashes)
            .map(|(id, hash)| JobRecord::from_raw(id.as_ref(), &hash))
            .collect())
    }

    /// The record of `id`; `None` when there is none.
    pub async fn record(&self, id: &str) -> Result<Option<JobRecord>, QueueError> {
        Ok(self.records(&[id]).await?.pop().flatten())
    }

    /// Ends a job: at once while it waits, by its worker while it runs.
    pub async fn cancel(&self, id: &str) -> Result<CancelAnswer, QueueError> {
        let answer = self.answer(Verb::Cancel, id).await?;
        match words(&answer).as_slice() {
            ["cancelled"] => Ok(CancelAnswer::Cancelled),
            ["cancelling"] => Ok(CancelAnswer::Cancelling),
            ["already", state] => Ok(CancelAnswer::Already(state_of("cancel", state)?)),
            ["unknown"] => Ok(CancelAnswer::Unknown),
            _ => Err(unexpected("cancel", &answer)),
        }
    }

    /// Sends a dead job round again.
    pub async fn replay(&self, id: &str) -> Result<ReplayAnswer, QueueError> {
        let answer = self.answer(Verb::Replay, id).await?;
        match words(&answer).as_slice() {
            ["ready"] => Ok(ReplayAnswer::Ready),
            ["not-dead", state] => Ok(ReplayAnswer::NotDead(state_of("replay", state)?)),
            ["body-gone"] => Ok(ReplayAnswer::BodyGone),
            ["duplicate", owner] => Ok(ReplayAnswer::Duplicate((*owner).to_owned())),
            ["unknown"] => Ok(ReplayAnswer::Unknown),
            _ => Err(unexpected("replay", &answer)),
        }
    }

    /// Forgets an ended job. Its files must be gone before: nothing else remembers them.
    pub async fn purge(&self, id: &str) -> Result<PurgeAnswer, QueueError> {
        let answer = self.answer(Verb::Purge, id).await?;
        match words(&answer).as_slice() {
            ["purged"] => Ok(PurgeAnswer::Purged),
            ["not-ended", state] => Ok(PurgeAnswer::NotEnded(state_of("purge", state)?)),
            ["unknown"] => Ok(PurgeAnswer::Unknown),
            _ => Err(unexpected("purge", &answer)),
        }
    }

    /// Pauses claiming; running jobs finish. False when they were stopped before.
    pub async fn pause(&self) -> Result<bool, QueueError> {
        Ok(self.switch("pause").await? == 1)
    }

    /// Resumes claiming. False when they were not stopped.
    pub async fn resume(&self) -> Result<bool, QueueError> {
        Ok(self.switch("resume").await? == 1)
    }

    /// Hears every change of a job from now on; a hint, so look again each second all the same.
    pub async fn announcements(&self) -> Result<Announcements, QueueError> {
        let opening = timeout(CALL_TIMEOUT, Announcements::open(&self.endpoint));
        opening.await.map_err(|_| silent())?
    }

    /// Ends every lease: only for the holder of an embedded queue's lock, beside whom nobody can
    /// hold one. Returns how many there were.
    pub async fn reap_everything(&self) -> Result<u64, QueueError> {
        let mut all = 0;
        loop {
            let call = self.scripts.reap("", ANY_LEASE, true, &Limits::default());
            let answer: Vec<i64> = call.invoke_async(&mut self.connection.clone()).await?;
            let Reaped { leases, .. } = Reaped::from_answer(&answer);
            all += leases;
            if leases < LEASES_A_REAP {
                return Ok(all);
            }
        }
    }

    async fn answer(&self, verb: Verb, id: &str) -> Result<Vec<String>, QueueError> {
        Ok(self.scripts.of_job(&mut self.connection.clone(), verb, id).await?)
    }

    async fn switch(&self, word: &str) -> Result<i64, QueueError> {
        let mut call = self.scripts.call(Verb::Pause);
        Ok(call.arg(word).invoke_async(&mut self.connection.clone()).await?)
    }
}

fn words(answer: &[String]) -> Vec<&str> {
    answer.iter().map(String::as_str).collect()
}

fn state_of(script: &'static str, word: &str) -> Result<State, QueueError> {
    State::parse(word).ok_or_else(|| QueueError::Protocol { script, answer: word.to_owned() })
}

fn unexpected(script: &'static str, answer: &[String]) -> QueueError {
    QueueError::Protocol { script, answer: answer.join(" ") }
}

fn silent() -> QueueError {
    let text = format!("no answer within {} s", CALL_TIMEOUT.as_secs());
    std::io::Error::new(std::io::ErrorKind::TimedOut, text).into()
}
