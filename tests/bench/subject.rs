//! What every subject is put through: so many jobs in, out at 4 and at 64 slots, and one at a time.

use std::time::Duration;

use async_trait::async_trait;
use tests::server::Server;

use crate::meter::{Meter, Reading};
use crate::table::{Measure, Subject, Table};

/// Jobs enqueued one by one, and again in batches.
pub(crate) const JOBS: usize = 4000;
/// Jobs in one call of a batch.
pub(crate) const BATCH: usize = 100;
/// What each job carries, in bytes.
pub(crate) const BODY: usize = 1024;
/// Jobs of the pickup phase, and the pause before each.
const PICKUPS: usize = 200;
const PAUSE: Duration = Duration::from_millis(15);

/// A queue to be measured.
#[async_trait]
pub(crate) trait Contender: Send {
    /// Its column.
    const SUBJECT: Subject;

    /// Enqueues `JOBS`, `batch` a call, from one connection; the time that it took.
    async fn enqueue(&mut self, server: &Server, batch: usize) -> anyhow::Result<Duration>;

    /// Drains `JOBS` with an empty handler at `slots`; the time from the first claim to the last
    /// acknowledgement.
    async fn drain(&mut self, server: &Server, slots: usize) -> anyhow::Result<Duration>;

    /// Enqueues `number` jobs for an idle worker of four slots, each after a pause; the times from
    /// before the enqueue to the start of the handler.
    async fn pick_up(
        &mut self,
        server: &Server,
        number: usize,
        pause: Duration,
    ) -> anyhow::Result<Vec<Duration>>;

    /// What the last drain has taken of a worker's processor, in µs, where that is another process.
    fn worker_cpu_us(&self) -> Option<f64> {
        None
    }
}

/// Runs every phase and notes the numbers.
pub(crate) async fn measure<C: Contender>(
    mut contender: C,
    server: &Server,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut meter = Meter::new(server).await?;
    let mut note = |measure, value| table.note(measure, C::SUBJECT, value);

    let (rate, put) = enqueue(&mut contender, server, &mut meter, 1).await?;
    note(Measure::EnqueueOne, rate);
    note(Measure::Memory, put.memory);
    note(Measure::Log, put.log);
    let (rate, took) = drain(&mut contender, server, &mut meter, 4).await?;
    note(Measure::DrainFour, rate);
    note(Measure::RedisOne, put.redis_us + took.redis_us);
    note(Measure::CommandsEnqueue, put.commands);
    note(Measure::CommandsDrain, took.commands);
    let own = contender.worker_cpu_us().map(|all| all / JOBS as f64);
    note(Measure::Worker, own.unwrap_or(took.process_us));

    let (rate, put) = enqueue(&mut contender, server, &mut meter, BATCH).await?;
    note(Measure::EnqueueBatch, rate);
    let (rate, took) = drain(&mut contender, server, &mut meter, 64).await?;
    note(Measure::DrainSixtyFour, rate);
    note(Measure::RedisBatched, put.redis_us + took.redis_us);

    let mut waits = contender.pick_up(server, PICKUPS, PAUSE).await?;
    waits.sort_unstable();
    let at = |percent: usize| waits[(waits.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    note(Measure::PickupMedian, at(50));
    note(Measure::PickupTail, at(99));
    Ok(())
}

async fn enqueue<C: Contender>(
    contender: &mut C,
    server: &Server,
    meter: &mut Meter,
    batch: usize,
) -> anyhow::Result<(f64, Reading)> {
    let before = meter.read().await?;
    let took = contender.enqueue(server, batch).await?;
    Ok((JOBS as f64 / took.as_secs_f64(), meter.read().await?.since(&before, JOBS)))
}

async fn drain<C: Contender>(
    contender: &mut C,
    server: &Server,
    meter: &mut Meter,
    slots: usize,
) -> anyhow::Result<(f64, Reading)> {
    let before = meter.read().await?;
    let took = contender.drain(server, slots).await?;
    Ok((JOBS as f64 / took.as_secs_f64(), meter.read().await?.since(&before, JOBS)))
}
