//! Two queues with nothing to spare: what one round trip a job costs when almost nothing is kept.
//!
//! Blocking connections on threads of their own, since nothing is cheaper.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::{Commands, Connection, RedisResult, Script};
use tests::server::Server;

use crate::subject::{BODY, Contender, JOBS};
use crate::table::Subject;

/// How long a worker blocks before it looks whether all is done.
const BLOCK_S: f64 = 0.1;

/// One call in, one call that acknowledges and takes.
trait Floor: Send + Sync {
    const SUBJECT: Subject;

    /// Whether one call may take several.
    const TAKES_MANY: bool;

    fn put(&self, connection: &mut Connection, jobs: Range<usize>) -> RedisResult<()>;

    /// Acknowledges `done`, takes at most `want`, and blocks a moment when there is nothing.
    fn take(
        &self,
        connection: &mut Connection,
        done: &[usize],
        want: usize,
    ) -> RedisResult<Vec<usize>>;

    fn acknowledge(&self, connection: &mut Connection, done: &[usize]) -> RedisResult<()>;
}

fn payload(job: usize) -> String {
    format!("{job}:{:x<BODY$}", "")
}

fn job_of(payload: &str) -> usize {
    payload.split(':').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// LPUSH and BRPOP.
pub(crate) struct List;

impl Floor for List {
    const SUBJECT: Subject = Subject::List;
    const TAKES_MANY: bool = false;

    fn put(&self, connection: &mut Connection, jobs: Range<usize>) -> RedisResult<()> {
        connection.lpush("jobs", jobs.map(payload).collect::<Vec<_>>())
    }

    fn take(&self, connection: &mut Connection, _: &[usize], _: usize) -> RedisResult<Vec<usize>> {
        let taken: Option<(String, String)> = connection.brpop("jobs", BLOCK_S)?;
        Ok(taken.into_iter().map(|(_, payload)| job_of(&payload)).collect())
    }

    fn acknowledge(&self, _: &mut Connection, _: &[usize]) -> RedisResult<()> {
        Ok(())
    }
}

/// A hash a job, a list of identifiers, a zset of leases.
pub(crate) struct Lease {
    put: Script,
    take: Script,
}

impl Lease {
    pub(crate) fn new() -> Self {
        let put = "for at = 1, #ARGV, 2 do
                redis.call('HSET', 'job:' .. ARGV[at], 'body', ARGV[at + 1])
                redis.call('LPUSH', 'ready', ARGV[at])
            end
            if redis.call('LLEN', 'wake') == 0 then redis.call('LPUSH', 'wake', 1) end";
        let take = "for at = 3, #ARGV do
                redis.call('ZREM', 'leased', ARGV[at])
                redis.call('DEL', 'job:' .. ARGV[at])
            end
            local want, answer = tonumber(ARGV[1]), {}
            local ids = want > 0 and redis.call('RPOP', 'ready', want) or {}
            for _, id in ipairs(ids or {}) do
                redis.call('ZADD', 'leased', ARGV[2], id)
                answer[#answer + 1] = redis.call('HGET', 'job:' .. id, 'body')
            end
            return answer";
        Self { put: Script::new(put), take: Script::new(take) }
    }

    fn call(
        &self,
        connection: &mut Connection,
        done: &[usize],
        want: usize,
    ) -> RedisResult<Vec<String>> {
        // Nobody looks at the end of a lease here: any number does.
        self.take.arg(want).arg(1_000_000).arg(done).invoke(connection)
    }
}

impl Floor for Lease {
    const SUBJECT: Subject = Subject::Lease;
    const TAKES_MANY: bool = true;

    fn put(&self, connection: &mut Connection, jobs: Range<usize>) -> RedisResult<()> {
        let mut call = self.put.prepare_invoke();
        for job in jobs {
            call.arg(job).arg(payload(job));
        }
        call.invoke(connection)
    }

    fn take(
        &self,
        connection: &mut Connection,
        done: &[usize],
        want: usize,
    ) -> RedisResult<Vec<usize>> {
        let taken = self.call(connection, done, want)?;
        if taken.is_empty() {
            let _: Option<(String, String)> = connection.blpop("wake", BLOCK_S)?;
        }
        Ok(taken.iter().map(|payload| job_of(payload)).collect())
    }

    fn acknowledge(&self, connection: &mut Connection, done: &[usize]) -> RedisResult<()> {
        self.call(connection, done, 0).map(drop)
    }
}

#[async_trait]
impl<F: Floor> Contender for F {
    const SUBJECT: Subject = F::SUBJECT;

    async fn enqueue(&mut self, server: &Server, batch: usize) -> anyhow::Result<Duration> {
        let mut connection = open(server)?;
        let began = Instant::now();
        tokio::task::block_in_place(|| {
            for first in (0..JOBS).step_by(batch) {
                self.put(&mut connection, first..(first + batch).min(JOBS))?;
            }
            Ok(began.elapsed())
        })
    }

    async fn drain(&mut self, server: &Server, slots: usize) -> anyhow::Result<Duration> {
        let many = F::TAKES_MANY && slots > 4;
        let (threads, want) = if many { (1, slots) } else { (slots, 1) };
        let connections: Vec<Connection> =
            (0..threads).map(|_| open(server)).collect::<Result<_, _>>()?;
        let (taken, ended) = (AtomicUsize::new(0), Mutex::new(Instant::now()));
        let began = Instant::now();
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                let work = |connection| work(self, connection, want, &taken, &ended);
                let workers: Vec<_> = connections
                    .into_iter()
                    .map(|connection| scope.spawn(move || work(connection)))
                    .collect();
                join(workers)
            })
        })?;
        Ok(ended.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) - began)
    }

    async fn pick_up(
        &mut self,
        server: &Server,
        number: usize,
        pause: Duration,
    ) -> anyhow::Result<Vec<Duration>> {
        let connections: Vec<Connection> =
            (0..4).map(|_| open(server)).collect::<Result<_, _>>()?;
        let (over, (starts, started)) = (AtomicBool::new(false), mpsc::channel());
        tokio::task::block_in_place(|| {
            std::thread::scope(|scope| {
                let watch = |connection, starts| watch(self, connection, &starts, &over);
                let workers: Vec<_> = connections
                    .into_iter()
                    .map(|connection| {
                        let starts = starts.clone();
                        scope.spawn(move || watch(connection, starts))
                    })
                    .collect();
                let waits = trickle(self, &mut open(server)?, number, pause, &started);
                over.store(true, Ordering::Release);
                join(workers)?;
                waits
            })
        })
    }
}

fn open(server: &Server) -> anyhow::Result<Connection> {
    Ok(redis::Client::open(server.url())?.get_connection()?)
}

fn join(workers: Vec<std::thread::ScopedJoinHandle<'_, RedisResult<()>>>) -> anyhow::Result<()> {
    for worker in workers {
        worker.join().map_err(|_| anyhow::anyhow!("a worker of the floor panicked"))??;
    }
    Ok(())
}

/// Takes until all jobs are taken, and notes when the last one was acknowledged.
fn work(
    floor: &impl Floor,
    mut connection: Connection,
    want: usize,
    taken: &AtomicUsize,
    ended: &Mutex<Instant>,
) -> RedisResult<()> {
    let mut done = Vec::new();
    while taken.load(Ordering::Acquire) < JOBS {
        done = floor.take(&mut connection, &done, want)?;
        taken.fetch_add(done.len(), Ordering::AcqRel);
        if !done.is_empty() {
            *ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
        }
    }
    if !done.is_empty() {
        floor.acknowledge(&mut connection, &done)?;
        *ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }
    Ok(())
}

/// Tells of each job as it is taken, until all is over.
fn watch(
    floor: &impl Floor,
    mut connection: Connection,
    starts: &mpsc::Sender<(usize, Instant)>,
    over: &AtomicBool,
) -> RedisResult<()> {
    let mut done = Vec::new();
    while !over.load(Ordering::Acquire) {
        done = floor.take(&mut connection, &done, 1)?;
        for job in &done {
            // The receiver waits for every one of them.
            let _ = starts.send((*job, Instant::now()));
        }
    }
    Ok(())
}

/// Enqueues one job after the other, each after a pause; how long each waited.
fn trickle(
    floor: &impl Floor,
    connection: &mut Connection,
    number: usize,
    pause: Duration,
    started: &mpsc::Receiver<(usize, Instant)>,
) -> anyhow::Result<Vec<Duration>> {
    let (_never, pausing) = mpsc::channel::<()>();
    let mut sent = Vec::new();
    for job in 0..number {
        let _ = pausing.recv_timeout(pause);
        sent.push(Instant::now());
        floor.put(connection, job..job + 1)?;
    }
    let patience = Duration::from_secs(30);
    let arrivals = (0..number).map(|_| started.recv_timeout(patience));
    arrivals.map(|arrival| arrival.map(|(job, at)| at - sent[job]).map_err(Into::into)).collect()
}
