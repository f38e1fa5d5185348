//! Workers that keep both cores busy, providers ten times as fast as real ones, and a bucket as their
//! store: how long from a provider's last byte to the accepted checkpoint of what it sent, where that
//! time goes, and what a PUT of as many bytes takes by itself in the same moments.
//!
//! Provider and store run in this process and tell what happens there; Redis tells by `MONITOR` when a
//! checkpoint was accepted. Nothing is asked of the workers, so that what they do not see counts too: the
//! bytes on their way to them, and a runtime that has no time to read.
//!
//! Arguments: `--jobs N`, 60 by default; `--workers N`, 2 by default. The worker is the one that was
//! built beside this program.

#![expect(clippy::print_stdout, reason = "the tables are what this program is for")]

mod apart;
mod moments;
mod table;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stillcast_enqueue::{Job, JobId, JobRecord, Producer, Source, State};
use tests::bucket::{ACCESS_KEY, BUCKET, Bucket, SECRET_KEY};
use tests::program::Program;
use tests::server::Server;
use tests::simulator::{Latency, Options, Sent, Simulator, Voice};
use tests::wait::look;
use tokio::sync::mpsc::UnboundedSender;

use apart::Apart;

/// Of a paid provider's time.
const SCALE: f64 = 0.1;
/// Jobs of a worker at once.
const SLOTS: usize = 4;
/// Longest run; whatever is not done by then is a fault.
const LONGEST: std::time::Duration = std::time::Duration::from_mins(20);

/// What is asked of a run.
struct Load {
    jobs: usize,
    workers: usize,
}

// More than there are cores: while it digests what one worker puts, the store hears the next one.
#[tokio::main(worker_threads = 8)]
async fn main() -> anyhow::Result<()> {
    let load = load()?;
    let server = Server::start_everysec().await?;
    let (heard, listening) = moments::listen(&server.url()).await?;
    let bucket = Bucket::told(Some(heard.served.clone())).await?;
    let (sent, apart) = Apart::begin(&bucket, heard.sent)?;
    let simulator = Simulator::start(provider(&server, sent)).await?;
    let before = busy_and_idle()?;
    let ids = work(&load, &server, &simulator, &bucket).await?;
    let after = busy_and_idle()?;
    let twins = apart.end()?;
    let busy = 100 * (after.0 - before.0) / (after.0 + after.1 - before.0 - before.1).max(1);
    println!("{} videos on {} workers, both cores {busy} % busy\n", load.jobs, load.workers);
    table::print(&listening.windows(&ids), &twins);
    Ok(())
}

fn load() -> anyhow::Result<Load> {
    let mut load = Load { jobs: 60, workers: 2 };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let number = arguments.next().context("a number is missing")?.parse()?;
        match name.as_str() {
            "--jobs" => load.jobs = number,
            "--workers" => load.workers = number,
            _ => anyhow::bail!("usage: tests/bench/window/run [--jobs N] [--workers N]"),
        }
    }
    Ok(load)
}

fn provider(server: &Server, sent: UnboundedSender<Sent>) -> Options {
    let latency = Latency::TYPICAL.scaled(SCALE);
    let told = Some(sent);
    Options { latency, voice: Voice::Tone, told, ..Options::quick(server.folder()) }
}

/// Every job, by its number, once all are done.
async fn work(
    load: &Load,
    server: &Server,
    simulator: &Simulator,
    bucket: &Bucket,
) -> anyhow::Result<Vec<JobId>> {
    let mut workers = Vec::new();
    for number in 0..load.workers {
        workers.push(worker(server, simulator, bucket, number)?.spawn(&[]).await?);
    }
    let producer = Producer::connect(&server.url()).await?;
    let mut ids = Vec::new();
    for number in 0..load.jobs {
        let source = Source::Text(moments::source(number));
        ids.push(producer.enqueue(&Job::video(source)).await?.id);
    }
    let records: Option<Vec<JobRecord>> = look(LONGEST, async || {
        let records: Option<Vec<_>> = producer.status(&ids).await.ok()?.into_iter().collect();
        records.filter(|records| records.iter().all(|record| record.state.is_terminal()))
    })
    .await;
    let records = records.context("not every job has ended")?;
    anyhow::ensure!(records.iter().all(|record| record.state == State::Done), "{records:?}");
    for worker in workers {
        kill(Pid::from_raw(worker.pid()), Signal::SIGTERM)?;
        tests::program::ended(worker).await?;
    }
    Ok(ids)
}

fn worker(
    server: &Server,
    simulator: &Simulator,
    bucket: &Bucket,
    number: usize,
) -> anyhow::Result<Program> {
    let path = std::env::current_exe()?.with_file_name("stillcast-worker");
    anyhow::ensure!(path.is_file(), "{} is missing; run tests/bench/window/run", path.display());
    Ok(Program::at(path)
        .env("REDIS_URL", server.url())
        .env("STORAGE_URL", format!("s3://{BUCKET}/bench"))
        .env("S3_ENDPOINT", bucket.endpoint())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("STILLCAST_HOME", server.folder().join(format!("home-{number}")))
        .env("OPENAI_BASE_URL", simulator.base_url())
        .env("OPENAI_API_KEY", "any")
        .env("WORKER_ADDR", "off")
        .env("MAX_PARALLEL_TASKS", SLOTS.to_string())
        .env("RUST_LOG", "warn")
        .providers("openai"))
}

/// Ticks of all cores since the machine started, at work and idle.
fn busy_and_idle() -> anyhow::Result<(u64, u64)> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat")?;
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    let idle = ticks.iter().skip(3).take(2).sum();
    // Time of guests is counted among the first two already.
    let all: u64 = ticks.iter().take(8).sum();
    Ok((all - idle, idle))
}
