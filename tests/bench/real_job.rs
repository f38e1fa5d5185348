//! A real job of six stages, made offline by the worker's own program: what the queue asks of Redis for it.

use anyhow::Context;
use redis::AsyncCommands;
use stillcast_enqueue::{Job, Source};
use tests::fleet::QUEUE;
use tests::program::Program;
use tests::server::Server;

use crate::meter::{Meter, Reading};
use crate::queue_side::Queue;
use crate::table::{Measure, Subject, Table};

/// Jobs of the longer of two runs; the shorter one has a single job. What a worker asks at its start is in
/// both, so the difference is the jobs' alone.
const JOBS: usize = 4;

pub(crate) async fn measure(server: &Server, table: &mut Table) -> anyhow::Result<()> {
    println!("{JOBS} real jobs, made offline");
    let (one, several) = (run(server, 1).await?, run(server, JOBS).await?);
    let each = several.since(&one, JOBS - 1);
    table.note(Measure::RealScripts, Subject::Queue, each.scripts);
    table.note(Measure::RealCommands, Subject::Queue, each.commands);
    table.note(Measure::RealCpu, Subject::Queue, each.redis_us / 1000.0);
    Ok(())
}

/// What a worker asks that makes so many videos, one after the other.
async fn run(server: &Server, jobs: usize) -> anyhow::Result<Reading> {
    let queue = Queue::connect(server).await?;
    for job in 0..jobs {
        let text = format!("Evening {job} of {jobs}: a long day by the sea, and a slow walk home.");
        queue.producer.enqueue(&Job::video(Source::Text(text))).await?;
    }
    let folder = tempfile::tempdir()?;
    let worker = std::env::current_exe()?.with_file_name("stillcast-worker");
    anyhow::ensure!(worker.is_file(), "{} is missing", worker.display());
    let program = Program::at(worker)
        .providers("offline")
        .env("REDIS_URL", server.url())
        .env("QUEUE_NAME", QUEUE)
        .env("STORAGE_URL", format!("file://{}", folder.path().display()))
        .env("STILLCAST_HOME", folder.path().join("home"))
        .env("MAX_PARALLEL_TASKS", "1")
        .env("WORKER_ADDR", "off");
    let mut meter = Meter::new(server).await?;
    let before = meter.read().await?;
    let ran = program.run(&["--until-empty"]).await?;
    anyhow::ensure!(ran.code == 0, "the worker ended with {}: {}", ran.code, ran.stderr);
    let after = meter.read().await.context("Redis is gone")?;
    let delivered: usize = server.connection().await?.zcard(format!("{{q:{QUEUE}}}:done")).await?;
    anyhow::ensure!(delivered >= jobs, "{delivered} of {jobs} jobs were delivered");
    Ok(after.since(&before, 1))
}
