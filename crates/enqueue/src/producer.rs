//! Jobs go in, identifiers come out; jobs are looked at, waited for and cancelled.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::answers::{CancelAnswer, Enqueued, Replication, Waited};
use crate::connection::{Patience, SharedConnection, is_unserved, pause};
use crate::keys::Keys;
use crate::lua::{self, CANCEL, PREAMBLE};
use crate::route::Route;
use crate::script::{Answer, EnqueueScript};
use crate::{EnqueueError, InvalidJob, Job, JobId, JobRecord, RawHash, Source};

/// Jobs in one script: a longer one would hold up everybody else on the same Redis.
const JOBS_A_SCRIPT: usize = 50;
/// Bytes of texts in one script, or one text: Redis copies each, into its memory and its log.
const TEXT_A_SCRIPT: usize = 64 * 1024;
/// Who cancels and by which interface, as the queue's audit names them, and nothing of why.
const AUDITED_AS: [&str; 3] = ["producer", "crate", ""];
/// How often [`Producer::wait`] looks when no event reaches it.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How to reach the queue.
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    /// The queue's name. Default `stillcast`.
    pub queue_name: String,
    /// How long one call may take. Default 5 s.
    pub timeout: Duration,
}

impl Default for ProducerOptions {
    fn default() -> Self {
        Self { queue_name: "stillcast".to_owned(), timeout: Duration::from_secs(5) }
    }
}

/// The producer's connection to one queue. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Producer {
    connection: SharedConnection,
    scripts: Arc<Scripts>,
    timeout: Duration,
    copies: Option<Copies>,
}

/// How many replicas must have a job, and how long that may take.
#[derive(Clone, Copy)]
struct Copies {
    replicas: u32,
    limit: Duration,
}

struct Scripts {
    keys: Keys,
    enqueue: EnqueueScript,
    cancel: redis::Script,
    cancel_keys: Vec<String>,
}

impl Producer {
    /// Connects to `redis_url` (`redis://host:port/db`, `unix:///path`, or with the feature `tls`
    /// `rediss://host:port/db`) with every default. At a `rediss://` address the system's certificates
    /// are trusted, or those of a file that the address names: `?ca_file=/path.pem`. Of sentinels
    /// (`redis+sentinel://user:password@one:26379,two:26379/NAME/db`) one is asked before each connection.
    pub async fn connect(redis_url: &str) -> Result<Self, EnqueueError> {
        Self::connect_with(redis_url, ProducerOptions::default()).await
    }

    /// Connects with `options`. Fails with [`EnqueueError::Address`] when no Redis can live there, with
    /// [`EnqueueError::TimedOut`] or [`EnqueueError::Redis`] when none answers within the timeout. Once
    /// open, the connection comes back by itself after an outage.
    pub async fn connect_with(
        redis_url: &str,
        options: ProducerOptions,
    ) -> Result<Self, EnqueueError> {
        let keys = Keys::new(&options.queue_name)?;
        let route = Route::to(redis_url, |info| info)
            .map_err(|error| EnqueueError::Address(error.to_string()))?;
        // A server that hangs is left in time to ask its successor.
        let patience = Patience { connect: options.timeout / 2, answer: options.timeout / 2 };
        let connection = SharedConnection::unwatched(route, patience);
        within(options.timeout, connection.open(last_try(options.timeout))).await?;
        let enqueue = EnqueueScript::new(&keys);
        let cancel = lua::assemble(PREAMBLE, CANCEL);
        let cancel_keys = cancel.keys.iter().map(|word| keys.named(word)).collect();
        let cancel = redis::Script::new(&cancel.source);
        let scripts = Arc::new(Scripts { keys, enqueue, cancel, cancel_keys });
        Ok(Self { connection, scripts, timeout: options.timeout, copies: None })
    }

    /// From here on an enqueue also waits, at most for `limit` and half of the producer's timeout, until
    /// `replicas` replicas have the job, and says in [`Enqueued::replication`] whether they have.
    /// Clones that were made before do not wait. Other calls of the same connection wait behind it.
    #[must_use]
    pub fn wait_for_replicas(self, replicas: u32, limit: Duration) -> Self {
        let limit = limit.min(self.timeout / 2).max(Duration::from_millis(1));
        Self { copies: Some(Copies { replicas, limit }).filter(|_| replicas > 0), ..self }
    }

    /// Enqueues one job; one round trip. Repeating the call with the same job is harmless, also after
    /// a time-out.
    ///
    /// Fails with [`EnqueueError::Invalid`] before anything is sent, and with
    /// [`EnqueueError::IdempotencyMismatch`] or [`EnqueueError::Full`] when nothing was written.
    /// After [`EnqueueError::TimedOut`] and [`EnqueueError::Redis`] the job may stand: repeat.
    pub async fn enqueue(&self, job: &Job) -> Result<Enqueued, EnqueueError> {
        let mut results = self.enqueue_many(std::slice::from_ref(job)).await;
        results.pop().expect("one result a job")
    }

    /// Enqueues many, at most 50 a script, and says of each in order what became of it. Two scripts are on
    /// their way at once, so that Redis works on one while the next is made.
    ///
    /// An invalid job, a full Redis or a broken connection on some never hides the others. The errors
    /// are those of [`Producer::enqueue`].
    pub async fn enqueue_many(&self, jobs: &[Job]) -> Vec<Result<Enqueued, EnqueueError>> {
        let mut results = Vec::with_capacity(jobs.len());
        let mut left = jobs;
        while !left.is_empty() {
            let (one, rest) = left.split_at(a_script_of(left));
            let (other, rest) = rest.split_at(a_script_of(rest).min(rest.len()));
            let (one, other) = tokio::join!(self.enqueue_chunk(one), self.enqueue_chunk(other));
            results.extend(one.into_iter().chain(other));
            left = rest;
        }
        results
    }

    async fn enqueue_chunk(&self, jobs: &[Job]) -> Vec<Result<Enqueued, EnqueueError>> {
        let verdicts: Vec<Result<(), InvalidJob>> = jobs.iter().map(Job::validate).collect();
        let judged = jobs.iter().zip(&verdicts);
        let valid: Vec<&Job> = judged.filter_map(|(job, v)| v.is_ok().then_some(job)).collect();
        let mut answers = self.send(&valid).await.into_iter();
        let mut answer = || answers.next().expect("one answer a valid job");
        verdicts
            .into_iter()
            .map(|verdict| verdict.map_or_else(|e| Err(e.into()), |()| answer()))
            .collect()
    }

    async fn send(&self, jobs: &[&Job]) -> Vec<Result<Enqueued, EnqueueError>> {
        if jobs.is_empty() {
            return Vec::new();
        }
        let sent = match self.copies {
            None => self.send_once(jobs).await.map(|answers| (answers, Replication::NotAsked)),
            Some(copies) => self.send_and_prove(jobs, copies).await,
        };
        match sent {
            Ok((answers, replication)) if answers.len() == jobs.len() => {
                answers.into_iter().map(|answer| Enqueued::read(answer, replication)).collect()
            }
            Ok((answers, _)) => {
                let text = format!("{} answers to {} jobs", answers.len(), jobs.len());
                jobs.iter().map(|_| Err(EnqueueError::Protocol(text.clone()))).collect()
            }
            Err(error) => jobs.iter().map(|_| Err(again(&error))).collect(),
        }
    }

    async fn send_once(&self, jobs: &[&Job]) -> Result<Vec<Answer>, EnqueueError> {
        let call = &self.scripts.enqueue.call(jobs);
        self.repeat(|mut open| async move { call.invoke_async(&mut open).await }).await
    }

    /// In one pipeline, so that all of it goes over one connection, of which `WAIT` speaks.
    async fn send_and_prove(
        &self,
        jobs: &[&Job],
        Copies { replicas, limit }: Copies,
    ) -> Result<(Vec<Answer>, Replication), EnqueueError> {
        let mut asked = redis::pipe();
        asked.add_command(self.scripts.enqueue.command(jobs));
        // A write of the same connection, also where the job stood before: only for what one has
        // written oneself is it known how far the replicas are.
        let counts = self.scripts.keys.named("counts");
        asked.cmd("HINCRBY").arg(counts).arg("enqueued").arg(0).ignore();
        asked.cmd("WAIT").arg(replicas).arg(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        let (asked, enqueue) = (&asked, &self.scripts.enqueue);
        let ask = |mut open| async move {
            let answered = asked.query_async(&mut open).await;
            match answered {
                Err(error) if is_unknown_script(&error) => {
                    enqueue.load(&mut open).await?;
                    asked.query_async(&mut open).await
                }
                answered => answered,
            }
        };
        let (answers, reached): (Vec<Answer>, u32) = self.repeat(ask).await?;
        let is_proven = reached >= replicas;
        let unproven = Replication::Unproven { reached };
        Ok((answers, if is_proven { Replication::Proven } else { unproven }))
    }

    /// The records of `ids`, in order; `None` for an unknown or purged one. One round trip.
    pub async fn status(&self, ids: &[JobId]) -> Result<Vec<Option<JobRecord>>, EnqueueError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = redis::pipe();
        for id in ids {
            asked.hgetall(self.scripts.keys.job(id.as_str()));
        }
        let asked = &asked;
        let hashes: Vec<RawHash> =
            self.repeat(|mut open| async move { asked.query_async(&mut open).await }).await?;
        Ok(ids
            .iter()
            .zip(hashes)
            .map(|(id, hash)| JobRecord::from_raw(id.as_str(), &hash))
            .collect())
    }

    /// Waits until the job has ended, at most `limit`; looks four times a second. Fails when one
    /// look fails; the job goes on, and waiting again is harmless.
    pub async fn wait(&self, id: &JobId, limit: Duration) -> Result<Waited, EnqueueError> {
        let end = Instant::now() + limit;
        loop {
            match self.status(std::slice::from_ref(id)).await?.pop().flatten() {
                None => return Ok(Waited::Unknown),
                Some(record) if record.state.is_terminal() => {
                    return Ok(Waited::Ended(Box::new(record)));
                }
                Some(_) if Instant::now() >= end => return Ok(Waited::TimedOut),
                Some(_) => sleep(POLL_INTERVAL.min(end - Instant::now())).await,
            }
        }
    }

    /// Ends a job: at once while it waits, by its worker while it runs (within a second, or a third of
    /// a lease when the hint is lost). Repeating the call is harmless.
    pub async fn cancel(&self, id: &JobId) -> Result<CancelAnswer, EnqueueError> {
        let keys = &self.scripts.keys;
        let mut call = self.scripts.cancel.prepare_invoke();
        call.key(&self.scripts.cancel_keys).arg(keys.prefix()).arg(id.as_str()).arg(&AUDITED_AS);
        let call = &call;
        let answer: Vec<String> =
            self.repeat(|mut open| async move { call.invoke_async(&mut open).await }).await?;
        CancelAnswer::read(&answer)
    }

    /// Calls until Redis has answered, at most for the time of one call. Whatever a producer calls may
    /// be repeated: an identifier stays one job.
    async fn repeat<T, Calling>(
        &self,
        call: impl Fn(SharedConnection) -> Calling,
    ) -> Result<T, EnqueueError>
    where
        Calling: Future<Output = redis::RedisResult<T>>,
    {
        let end = Instant::now() + last_try(self.timeout);
        let calling = async {
            for tries in 0.. {
                match call(self.connection.clone()).await {
                    Err(error) if is_unserved(&error) && Instant::now() < end => {
                        sleep(pause(tries)).await;
                    }
                    answer => return answer,
                }
            }
            unreachable!("the caller's time ends the loop")
        };
        within(self.timeout, calling).await
    }
}

/// A call that fails until then is not tried again: its fault says more than that the time is over.
fn last_try(limit: Duration) -> Duration {
    limit.mul_f64(0.9)
}

fn is_unknown_script(error: &redis::RedisError) -> bool {
    error.kind() == redis::ServerErrorKind::NoScript.into()
}

/// How many of `jobs`, the first ones, one script takes.
fn a_script_of(jobs: &[Job]) -> usize {
    let mut text = 0;
    let fits = |job: &&Job| {
        text += if let Source::Text(words) = &job.source { words.len() } else { 0 };
        text <= TEXT_A_SCRIPT
    };
    jobs.iter().take(JOBS_A_SCRIPT).take_while(fits).count().max(1)
}

/// The same failure once more: one script's failure is the failure of each of its jobs.
fn again(error: &EnqueueError) -> EnqueueError {
    match error {
        EnqueueError::Redis(error) => EnqueueError::Redis(error.clone()),
        EnqueueError::TimedOut(after) => EnqueueError::TimedOut(*after),
        EnqueueError::Full => EnqueueError::Full,
        other => EnqueueError::Protocol(other.to_string()),
    }
}

async fn within<T>(
    limit: Duration,
    call: impl Future<Output = redis::RedisResult<T>>,
) -> Result<T, EnqueueError> {
    match timeout(limit, call).await {
        Err(_) => Err(EnqueueError::TimedOut(limit)),
        Ok(Err(error)) if error.is_timeout() => Err(EnqueueError::TimedOut(limit)),
        // Under noeviction a full Redis refuses the script before it writes anything.
        Ok(Err(error)) if error.code() == Some("OOM") => Err(EnqueueError::Full),
        Ok(answer) => Ok(answer?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_takes_fifty_jobs_or_few_long_ones() {
        let jobs = |number, length| {
            let job = |_| Job::audio(Source::Text("a".repeat(length)));
            (0..number).map(job).collect::<Vec<_>>()
        };
        for (number, length, taken) in
            [(1, 10, 1), (50, 10, 50), (51, 10, 50), (9, 16 * 1024, 4), (2, 100_000, 1)]
        {
            assert_eq!(a_script_of(&jobs(number, length)), taken, "{number} of {length} bytes");
        }
    }
}
