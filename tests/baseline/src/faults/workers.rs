//! Workers die, leave, crash again and again, or stand still.

use std::time::{Duration, Instant};

use anyhow::Context;
use baseline::Errand;
use nix::sys::signal::Signal;
use tests::fleet::Fleet;
use tests::journal::Act;
use tests::script::Script;

use super::{Busy, SLOTS, WINDOW};
use crate::column::Column;
use crate::seen::{Seen, acted, line, look, seconds};

pub(super) async fn killed(column: Column) -> anyhow::Result<String> {
    let mut busy = Busy::start(column, Errand::many("job", SLOTS, &Script::of(1000))).await?;
    let _second = column.worker(&busy.fleet, "two", SLOTS).await?;
    busy.worker.kill().await?;
    Ok(Seen::within(WINDOW, &busy.fleet, &busy.errands).await.words())
}

pub(super) async fn terminated(column: Column) -> anyhow::Result<String> {
    let busy = Busy::start(column, Errand::many("job", SLOTS, &Script::of(2000))).await?;
    let _second = column.worker(&busy.fleet, "two", SLOTS).await?;
    let (asked, Busy { fleet, mut worker, errands }) = (Instant::now(), busy);
    worker.signal(Signal::SIGTERM)?;
    let (gone, seen) = tokio::join!(
        look(WINDOW, async || worker.has_ended().then_some(asked.elapsed())),
        Seen::within(WINDOW, &fleet, &errands)
    );
    let left =
        gone.map_or("**it stays**".to_owned(), |after| format!("gone after {}", seconds(after)));
    Ok(format!("{left}; {}", seen.words()))
}

/// Long enough for three of our leases, each with its sixth and the time to die.
const CRASHES: Duration = Duration::from_secs(150);

pub(super) async fn crash_loop(column: Column) -> anyhow::Result<String> {
    let fleet = Fleet::start().await?;
    let errands = Errand::many("aborts", 1, &Script { abort_at: 1, ..Script::of(100) });
    column.enqueue(&fleet, &errands).await?;
    let mut worker = column.worker(&fleet, "one", SLOTS).await?;
    let given_up = async || {
        if worker.has_ended() {
            worker = column.worker(&fleet, "one", SLOTS).await.ok()?;
        }
        column.gave_up(&fleet, &errands[0]).await.ok()?.then_some(())
    };
    let began = Instant::now();
    let ended = look(CRASHES, given_up).await.map(|()| began.elapsed());
    let times = acted(&fleet, &errands, Act::Attempt).into_values().sum::<usize>();
    Ok(match ended {
        Some(after) => format!("run {times} ×, then a dead letter after {}", seconds(after)),
        None => format!("run {times} × within {}, **not given up**", seconds(CRASHES)),
    })
}

const STANDSTILL: Duration = Duration::from_mins(1);

pub(super) async fn blocked(column: Column) -> anyhow::Result<String> {
    let fleet = Fleet::start().await?;
    let errands = Errand::many("blocks", 1, &Script { block_at: 1, ..Script::of(100) });
    column.enqueue(&fleet, &errands).await?;
    let mut worker = column.worker(&fleet, "one", SLOTS).await?;
    let began = line(WINDOW, &fleet, |entry| entry.act == Act::CallStart).await;
    let began = began.context("the job did not begin")?;
    let second = column.worker(&fleet, "two", SLOTS).await?;
    let (watching, mut ended) = (Instant::now(), None);
    let again = look(STANDSTILL, async || {
        if ended.is_none() && worker.has_ended() {
            ended = Some(watching.elapsed());
        }
        let mut entries = fleet.account().entries().into_iter();
        entries.find(|entry| entry.act == Act::Attempt && entry.worker != began.worker)
    });
    let again = again.await.map(|_| watching.elapsed());
    drop(second);
    let process = ended
        .map_or(format!("the process hangs for more than {}", seconds(STANDSTILL)), |after| {
            format!("the process ends after {}", seconds(after))
        });
    let job = again
        .map_or(format!("**its job is not run again** within {}", seconds(STANDSTILL)), |after| {
            format!("its job runs again after {}", seconds(after))
        });
    Ok(format!("{process}; {job}"))
}
