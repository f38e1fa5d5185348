//! The queue beside two floors and `BullMQ`, in interleaved rounds on fresh servers: one table of numbers.
//!
//! Arguments: `node`, the `node_modules` with `BullMQ`, `--rounds N` (3), `--million` (1.5 GB of jobs wait),
//! `--only SUBJECT` (all; again for another one).

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod arguments;
mod bullmq;
mod cores;
mod floors;
mod meter;
mod queue_side;
mod real_job;
mod retention;
mod subject;
mod table;

use anyhow::Context;
use arguments::{Arguments, arguments};
use cores::Cores;
use table::{Measure, Subject, Table};
use tokio::task::JoinSet;

fn main() -> anyhow::Result<()> {
    let cores = Cores::divide()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // In a task, as whoever enqueues and works does: the main thread is none of the runtime's workers.
        let mut whole = JoinSet::new();
        whole.spawn(measure(arguments()?, cores));
        whole.join_next().await.context("it was begun")??
    })
}

async fn measure(arguments: Arguments, cores: Cores) -> anyhow::Result<()> {
    let Arguments { node, modules, rounds, million, subjects } = arguments;
    let mut table = Table::default();
    for round in 1..=rounds {
        for &subject in &subjects {
            println!("round {round} of {rounds}: {subject}");
            let server = cores.server().await?;
            match subject {
                Subject::List => subject::measure(floors::List, &server, &mut table).await,
                Subject::Lease => subject::measure(floors::Lease::new(), &server, &mut table).await,
                Subject::BullMq => {
                    let rival = bullmq::BullMq::new(node.clone(), modules.clone());
                    subject::measure(rival, &server, &mut table).await
                }
                Subject::Queue => {
                    let queue = queue_side::Queue::connect(&server).await?;
                    subject::measure(queue, &server, &mut table).await
                }
            }?;
        }
    }
    if subjects == Subject::ALL {
        rows_of_the_queue(cores, million, &mut table).await?;
    }
    println!("\n{table}");
    Ok(())
}

/// What nothing else is measured beside.
async fn rows_of_the_queue(cores: Cores, million: bool, table: &mut Table) -> anyhow::Result<()> {
    let server = cores.server().await?;
    queue_side::idle(&server, table).await?;
    for (waiting, measure) in crowds(million) {
        queue_side::crowd(&cores.server().await?, waiting, measure, table).await?;
    }
    real_job::measure(&cores.server().await?, table).await?;
    retention::measure(&cores.server().await?, table).await
}

/// How many jobs wait while others are worked on.
fn crowds(million: bool) -> Vec<(usize, Measure)> {
    let few = [(10, Measure::CrowdNone), (10_000, Measure::CrowdThousands)];
    few.into_iter().chain(million.then_some((1_000_000, Measure::CrowdMillion))).collect()
}
