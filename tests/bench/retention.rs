//! Records whose time is over go in; how fast one worker removes them, and how long a script of its
//! reaper takes, come out.

use std::time::{Duration, Instant};

use queue::{Clock, Limits, Scripts, Verb};
use redis::aio::ConnectionManager;
use stillcast_enqueue::{Job, Source, keys::Keys};
use tests::fleet::QUEUE;
use tests::server::Server;

use crate::meter::Meter;
use crate::queue_side::{Queue, with_worker};
use crate::subject::{BATCH, BODY};
use crate::table::{Measure, Subject, Table};

/// Records to be removed: as many as take some seconds, so that the worker's own pace is seen.
const RECORDS: usize = 20_000;

/// Ends so many jobs, lets their time be over, and notes what their removal takes.
pub(crate) async fn measure(server: &Server, table: &mut Table) -> anyhow::Result<()> {
    println!("retention of {RECORDS} records");
    let queue = Queue::connect(server).await?;
    let mut connection = server.connection().await?;
    cancelled(&queue, RECORDS).await?;
    server.configure("slowlog-max-len", "100000").await?;
    server.configure("slowlog-log-slower-than", "200").await?;
    server.say(&["SLOWLOG", "RESET"]).await?;
    let limits = Limits { records_live: Duration::from_millis(1), ..Limits::default() };
    let counts = Keys::new(QUEUE)?.named("counts");
    let mut meter = Meter::new(server).await?;
    let before = meter.read().await?;
    let took = with_worker(server, 4, limits, async |_told| {
        let began = Instant::now();
        while purged(&mut connection, &counts).await? < RECORDS {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(began.elapsed())
    })
    .await?;
    // Not in it: that this machine takes the processor away in the middle of a script.
    let cpu = meter.read().await?.since(&before, RECORDS / BATCH).redis_us;
    let mut scripts = reaps(&mut connection).await?;
    scripts.sort_unstable();
    let at = |percent: usize| scripts[(scripts.len() - 1) * percent / 100] as f64 / 1e3;
    let mut note = |measure, value| table.note(measure, Subject::Queue, value);
    note(Measure::Removal, RECORDS as f64 / took.as_secs_f64());
    note(Measure::ReapCpu, cpu / 1e3);
    note(Measure::ReapMedian, at(50));
    note(Measure::ReapTail, at(99));
    note(Measure::ReapWorst, at(100));
    Ok(())
}

/// Jobs that have everything a record may have, ended without a worker.
async fn cancelled(queue: &Queue, number: usize) -> anyhow::Result<()> {
    let job = |at: usize| {
        let job = Job::audio(Source::Text("x".repeat(BODY)));
        job.with_idempotency_key(format!("evening-{at}"))
    };
    for first in (0..number).step_by(BATCH) {
        let jobs: Vec<Job> = (first..first + BATCH).map(job).collect();
        for answer in queue.producer.enqueue_many(&jobs).await {
            let id = answer?.id;
            queue.producer.cancel(&id).await?;
        }
    }
    Ok(())
}

async fn purged(connection: &mut ConnectionManager, counts: &str) -> anyhow::Result<usize> {
    let mut asked = redis::cmd("HGET");
    let told: Option<usize> = asked.arg(counts).arg("purged").query_async(connection).await?;
    Ok(told.unwrap_or_default())
}

/// How long each script of the reaper took, in µs, by Redis' own log.
async fn reaps(connection: &mut ConnectionManager) -> anyhow::Result<Vec<u64>> {
    type Entry = (u64, u64, u64, Vec<String>, String, String);
    let scripts = Scripts::new(Keys::new(QUEUE)?, Clock::Server);
    let digest = scripts.digest(Verb::Reap);
    let log: Vec<Entry> = redis::cmd("SLOWLOG").arg("GET").arg(-1).query_async(connection).await?;
    let of_reaper = |entry: &Entry| entry.3.get(1).is_some_and(|word| word == digest);
    Ok(log.into_iter().filter(of_reaper).map(|entry| entry.2).collect())
}
