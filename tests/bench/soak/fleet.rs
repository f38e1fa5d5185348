//! A folder goes in; a Redis on it, two workers and a server come out, and are looked at.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use child::{Running, Spec, Stream};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use queue::QueueStats;
use tests::process::resident;
use tests::program::{Program, serve};
use tests::server::Server;
use tests::soak::QUEUE;
use tokio::time::{Instant, timeout};

use crate::samples::{Memory, Sample, done, redis};

pub(crate) const WORKERS: u32 = 2;
/// Jobs of a worker at once.
pub(crate) const SLOTS: u32 = 16;
/// A drain takes 25 s and one.
const END: Duration = Duration::from_mins(1);

pub(crate) struct Fleet {
    pub(crate) server: Server,
    workers: Vec<Running>,
    serving: Running,
    url: String,
    began: Instant,
}

impl Fleet {
    /// `run` names the workers' files; so many `records` are kept.
    pub(crate) async fn start(folder: &Path, run: usize, records: u32) -> anyhow::Result<Self> {
        let server = Server::start_in(&folder.join("redis")).await?;
        let mut workers = Vec::new();
        for number in 1..=WORKERS {
            let name = format!("run-{run}-worker-{number}");
            let log = std::fs::File::create(folder.join(format!("{name}.log")))?;
            let worker = Spec::new(beside("soak_worker")?)
                .args([server.url(), name])
                .arg(folder)
                .args([SLOTS.to_string(), records.to_string()])
                .stdout(Stream::File(log.try_clone()?))
                .stderr(Stream::File(log));
            workers.push(worker.spawn().await?);
        }
        let program = Program::at(beside("stillcast")?)
            .env("STILLCAST_HOME", folder.join("home"))
            .env("REDIS_URL", server.url())
            .env("QUEUE_NAME", QUEUE)
            .env("API_REQUESTS_PER_MINUTE", "0")
            .unbounded();
        let (serving, url) = serve(&program).await?;
        Ok(Self { server, workers, serving, url, began: Instant::now() })
    }

    /// One look; the server is asked for its numbers, as a Prometheus asks it.
    pub(crate) async fn look(&self, run: usize, stats: &QueueStats) -> anyhow::Result<Sample> {
        let asked = reqwest::get(format!("{}/metrics", self.url)).await?.error_for_status()?;
        let page = asked.text().await?;
        anyhow::ensure!(page.contains("stillcast_desired_replicas"), "no numbers:\n{page}");
        let (of_redis, script_p99_ms) = redis(&self.server).await?;
        let bytes =
            |running: &Running| -> anyhow::Result<u64> { Ok(resident(running.pid())? as u64) };
        let workers: anyhow::Result<Vec<u64>> = self.workers.iter().map(bytes).collect();
        let workers = workers.context("a worker has ended")?;
        let memory = Memory { redis: of_redis, workers, serve: bytes(&self.serving)? };
        Ok(Sample {
            run,
            at_s: self.began.elapsed().as_secs_f64(),
            done: done(stats),
            records: stats.states.done,
            memory,
            script_p99_ms,
        })
    }

    /// The workers end what they have.
    pub(crate) async fn drain(&mut self) -> anyhow::Result<()> {
        for worker in &self.workers {
            kill(Pid::from_raw(worker.pid()), Signal::SIGTERM)?;
        }
        for worker in &mut self.workers {
            timeout(END, worker.wait()).await.context("a worker does not end")??;
        }
        Ok(())
    }
}

/// A program that was built beside this one.
fn beside(name: &str) -> anyhow::Result<std::path::PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
