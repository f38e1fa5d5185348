//! A million short jobs through one Redis with `appendfsync always`, by two workers, beside a server that is
//! scraped: what is lost, doubled, kept too long, or grows.
//!
//! Arguments: `--folder DIR`, in which everything is kept, so that the same command goes on where it was ended;
//! `--jobs N`, 1,000,000 by default. Workers and server are those that were built beside this program.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]

mod arguments;
mod fleet;
mod samples;
mod state;
mod verdict;

use std::process::ExitCode;
use std::time::Duration;

use queue::{Endpoint, Inspector};
use stillcast_enqueue::{Job, JobId, Producer, ProducerOptions, Source};
use tests::soak::{QUEUE, id_of};
use tests::wait::look;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use arguments::{Arguments, arguments};
use fleet::{Fleet, SLOTS, WORKERS};
use samples::{Samples, done};
use state::State;
use verdict::{Found, Mib};

/// Jobs in one call.
const BATCH: u32 = 100;
/// Jobs that wait at most, so that workers are never idle and Redis holds no more than it must.
const BACKLOG: u64 = 2_000;
/// What a job carries.
const BODY: usize = 300;
/// Records of done jobs that are kept: as many as by default, or a tenth of all jobs.
const RECORDS: u32 = 100_000;
/// Between two looks, and between two that are printed.
const LOOK: Duration = Duration::from_secs(2);
const PRINTED: usize = 5;
/// How long the removal of the last records may take.
const REMOVAL: Duration = Duration::from_mins(1);
/// One answer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let Ok(arguments) = arguments() else {
        eprintln!("usage: tests/bench/soak/run [--jobs N] [--folder DIR]");
        return ExitCode::from(2);
    };
    match soak(&arguments).await {
        Ok(Some(found)) => ExitCode::from(u8::from(!report(&found))),
        Ok(None) => {
            println!("ended; the same command goes on");
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(69)
        }
    }
}

/// `None` when somebody ended it before all jobs were through.
async fn soak(arguments: &Arguments) -> anyhow::Result<Option<Found>> {
    let mut state = State::open(&arguments.folder, arguments.jobs)?;
    let records = RECORDS.min(arguments.jobs / 10);
    let mut fleet = Fleet::start(&arguments.folder, state.run, records).await?;
    let inspector =
        Inspector::connect_within(Endpoint::new(&fleet.server.url(), QUEUE)?, PATIENCE).await?;
    let mut samples = Samples::open(&arguments.folder)?;
    let (run, jobs) = (state.run, arguments.jobs);
    println!("run {run}: {} of {jobs} jobs are acknowledged", state.next);
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let is_through = tokio::select! {
        worked = work(&mut state, &fleet, &inspector, (jobs, records)) => worked.map(|()| true)?,
        failed = watch(&fleet, &inspector, run, &mut samples) => return failed.map(|()| None),
        _ = interrupt.recv() => false,
        _ = terminate.recv() => false,
    };
    fleet.drain().await?;
    state.ended_in_order()?;
    if !is_through {
        return Ok(None);
    }
    found(&state, &inspector, u64::from(records), &samples).await.map(Some)
}

/// Sends all jobs that were not sent yet, and waits until all are done and the oldest records removed.
async fn work(
    state: &mut State,
    fleet: &Fleet,
    inspector: &Inspector,
    (jobs, records): (u32, u32),
) -> anyhow::Result<()> {
    let options = ProducerOptions { queue_name: QUEUE.to_owned(), timeout: PATIENCE };
    let producer = Producer::connect_with(&fleet.server.url(), options).await?;
    while state.next < jobs {
        if inspector.stats().await?.states.ready >= BACKLOG {
            sleep(Duration::from_millis(10)).await;
            continue;
        }
        let next = jobs.min(state.next + BATCH);
        let batch: anyhow::Result<Vec<Job>> = (state.next..next).map(job).collect();
        for answer in producer.enqueue_many(&batch?).await {
            // One that stands already was sent just before a kill.
            answer?;
        }
        state.acknowledge(next)?;
    }
    while inspector.stats().await?.unfinished() > 0 {
        sleep(Duration::from_millis(100)).await;
    }
    // What stays is judged at the end.
    let _ = look(REMOVAL, async || {
        let kept = inspector.stats().await.ok()?.states.done;
        (kept <= u64::from(records)).then_some(())
    })
    .await;
    Ok(())
}

fn job(number: u32) -> anyhow::Result<Job> {
    let job = Job::audio(Source::Text("x".repeat(BODY)));
    Ok(job.with_id(JobId::parse(&id_of(number))?))
}

/// Looks again and again; ends only when that fails.
async fn watch(
    fleet: &Fleet,
    inspector: &Inspector,
    run: usize,
    samples: &mut Samples,
) -> anyhow::Result<()> {
    for number in 0_usize.. {
        let sample = fleet.look(run, &inspector.stats().await?).await?;
        samples.write(&sample)?;
        if number.is_multiple_of(PRINTED) {
            let held = sample.memory.parts().into_iter();
            let held = held.map(|(name, bytes)| format!("{name} {}", Mib(bytes as f64)));
            let held = held.collect::<Vec<_>>().join(", ");
            println!("{:7.0} s  {:8} done  {held}", sample.at_s, sample.done);
        }
        sleep(LOOK).await;
    }
    Ok(())
}

async fn found(
    state: &State,
    inspector: &Inspector,
    records: u64,
    samples: &Samples,
) -> anyhow::Result<Found> {
    let stats = inspector.stats().await?;
    let runs = state.runs()?;
    let verified = inspector.verify().await?;
    let violations = verified.violations.iter().map(|violation| format!("{violation:?}"));
    let cut_off = u64::try_from(state.cut_off()?)? * u64::from(WORKERS * SLOTS);
    Ok(Found {
        acknowledged: u64::from(state.next),
        done: done(&stats),
        accepted: state.accepted()?,
        never_ran: runs.iter().filter(|count| **count == 0).count() as u64,
        ran_again: runs.iter().filter(|count| **count > 1).count() as u64,
        may_run_again: cut_off,
        violations: violations.collect(),
        records: (stats.states.done, records),
        samples: samples.read()?,
    })
}

/// Prints the table; whether all is well.
fn report(found: &Found) -> bool {
    let row = |name: &str, value: String, wanted: &str| println!("{name:22} {value:>28}  {wanted}");
    println!();
    row("jobs", found.acknowledged.to_string(), "");
    row("jobs a second", format!("{:.0}", found.rate()), "150 or more");
    row("lost", found.lost().to_string(), "0");
    row("doubled", found.doubled().to_string(), "0");
    row("run again", found.ran_again.to_string(), &format!("at most {}", found.may_run_again));
    row("scripts, p99", format!("{:.2} ms", found.script_p99_ms()), "10 ms or less");
    let records = format!("{} at the end, {} at most", found.records.0, found.most_records());
    row("records kept", records, &found.records.1.to_string());
    for (name, before, after) in found.memory() {
        row(&format!("memory, {name}"), format!("{} → {}", Mib(before), Mib(after)), "flat");
    }
    let faults = found.faults();
    for fault in &faults {
        println!("✗ {fault}");
    }
    faults.is_empty()
}
