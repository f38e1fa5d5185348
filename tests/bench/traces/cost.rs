//! A worker without traces beside one whose collector takes them, is away, or never answers, all at the
//! same time, so that whatever else the machine does is theirs alike: what each job takes, and how much
//! memory each worker has needed, go into one table.
//!
//! Argument: `--rounds N`, 3 by default. The worker is the one that was built beside this program.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context;
use futures::future::try_join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use stillcast_enqueue::{Job, JobRecord, Producer, Source, State};
use tests::collector::Collector;
use tests::program::Program;
use tests::server::Server;
use tests::simulator::{Latency, Options, Simulator};
use tests::wait::until;

/// Jobs of a worker in a round, one after the other, so that each meets the same calls in every worker.
const JOBS: usize = 8;
/// Of a paid provider's time, so that a round ends.
const SCALE: f64 = 0.1;
/// A port at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:1";

/// What becomes of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Variant {
    Off,
    Taken,
    Away,
    Stuck,
}

impl Variant {
    const ALL: [Self; 4] = [Self::Off, Self::Taken, Self::Away, Self::Stuck];
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "no traces",
            Self::Taken => "taken",
            Self::Away => "collector away",
            Self::Stuck => "collector never answers",
        })
    }
}

/// Seconds of each job, and the most memory of each worker in MiB.
#[derive(Default)]
struct Measured {
    jobs: Vec<f64>,
    memory: Vec<f64>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut table = BTreeMap::<Variant, Measured>::new();
    for round in 1..=rounds()? {
        println!("round {round}");
        for (variant, measured) in try_join_all(Variant::ALL.map(measured)).await? {
            let (jobs, memory) = measured;
            let measured = table.entry(variant).or_default();
            measured.jobs.extend(jobs);
            measured.memory.push(memory);
        }
    }
    print(&table);
    Ok(())
}

fn rounds() -> anyhow::Result<u32> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(3),
        ["--rounds", number] => number.parse().context("--rounds takes a number"),
        _ => anyhow::bail!("usage: tests/bench/traces/run [--rounds N]"),
    }
}

async fn measured(variant: Variant) -> anyhow::Result<(Variant, (Vec<f64>, f64))> {
    Ok((variant, measure(variant).await?))
}

/// One worker on a fresh server and a fresh provider of the same seed.
async fn measure(variant: Variant) -> anyhow::Result<(Vec<f64>, f64)> {
    let server = Server::start_everysec().await?;
    let latency = Latency { scale: SCALE, ..Latency::TYPICAL };
    let options = Options { latency, ..Options::quick(server.folder()) };
    let simulator = Simulator::start(options).await?;
    let collector = Collector::start().await?;
    if variant == Variant::Stuck {
        collector.hold();
    }
    let endpoint = match variant {
        Variant::Off => None,
        Variant::Away => Some(NOBODY.to_owned()),
        Variant::Taken | Variant::Stuck => Some(collector.endpoint()),
    };
    let worker = worker(&server, &simulator, endpoint)?.spawn(&[]).await?;
    let producer = Producer::connect(&server.url()).await?;
    let mut ids = Vec::new();
    for number in 0..JOBS {
        let source = Source::Text(format!("Evening {number} at the sea, and a heron in the rain."));
        ids.push(producer.enqueue(&Job::video(source)).await?.id);
    }
    let records: Vec<JobRecord> = until("every job has ended", async || {
        let records: Option<Vec<_>> = producer.status(&ids).await.ok()?.into_iter().collect();
        records.filter(|records| records.iter().all(|record| record.state.is_terminal()))
    })
    .await;
    anyhow::ensure!(records.iter().all(|record| record.state == State::Done), "{records:?}");
    let memory = most_memory(worker.pid())?;
    kill(Pid::from_raw(worker.pid()), Signal::SIGTERM)?;
    tests::program::ended(worker).await?;
    Ok((records.iter().filter_map(seconds).collect(), memory))
}

fn worker(
    server: &Server,
    simulator: &Simulator,
    endpoint: Option<String>,
) -> anyhow::Result<Program> {
    let here = std::env::current_exe()?;
    let path = here.with_file_name("stillcast-worker");
    anyhow::ensure!(path.is_file(), "{} is missing; run tests/bench/traces/run", path.display());
    let folder = server.folder();
    let program = Program::at(path)
        .env("REDIS_URL", server.url())
        .env("STORAGE_URL", format!("file://{}", folder.join("store").display()))
        .env("STILLCAST_HOME", folder.join("home"))
        .env("OPENAI_BASE_URL", simulator.base_url())
        .env("OPENAI_API_KEY", "any")
        .env("WORKER_ADDR", "off")
        .env("MAX_PARALLEL_TASKS", "1")
        .env("OTEL_BSP_SCHEDULE_DELAY", "500")
        .providers("openai");
    Ok(match endpoint {
        Some(endpoint) => program.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        None => program,
    })
}

/// From claim to end.
fn seconds(record: &JobRecord) -> Option<f64> {
    let took = record.finished_at? - record.started_at?;
    Some(took.as_seconds_f64())
}

/// In MiB, as the kernel has seen it.
fn most_memory(process: i32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn print(table: &BTreeMap<Variant, Measured>) {
    let off = table.get(&Variant::Off).map_or(&[][..], |measured| &measured.jobs);
    let base = table.get(&Variant::Off).map_or(0.0, |measured| median(&measured.memory));
    println!("\n| traces | median job, s | beside none | most memory, MiB | beside none |");
    println!("|---|---|---|---|---|");
    for (variant, Measured { jobs, memory }) in table {
        // Job by job, since the same job meets the same latencies in each worker.
        let ratios: Vec<f64> = jobs.iter().zip(off).map(|(job, off)| job / off).collect();
        let (job, memory) = (median(jobs), median(memory));
        let (more, extra) = ((median(&ratios) - 1.0) * 100.0, memory - base);
        println!("| {variant} | {job:.3} | {more:+.1} % | {memory:.1} | {extra:+.1} |");
    }
}
