//! The queue beside two floors, in interleaved rounds on fresh servers: numbers go into one table.
//!
//! Argument: `--rounds N`, 3 by default.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod floors;
mod meter;
mod queue_side;
mod retention;
mod subject;
mod table;

use anyhow::Context;
use table::{Subject, Table};
use tests::server::Server;

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let rounds = rounds()?;
    let mut table = Table::default();
    for round in 1..=rounds {
        for subject in Subject::ALL {
            println!("round {round} of {rounds}: {subject}");
            let server = Server::start_everysec().await?;
            match subject {
                Subject::List => subject::measure(floors::List, &server, &mut table).await,
                Subject::Lease => subject::measure(floors::Lease::new(), &server, &mut table).await,
                Subject::Queue => {
                    let queue = queue_side::Queue::connect(&server).await?;
                    subject::measure(queue, &server, &mut table).await
                }
            }?;
        }
    }
    let server = Server::start_everysec().await?;
    queue_side::idle(&server, &mut table).await?;
    retention::measure(&Server::start_everysec().await?, &mut table).await?;
    println!("\n{table}");
    Ok(())
}

fn rounds() -> anyhow::Result<u32> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Ok(3),
        ["--rounds", number] => number.parse().context("--rounds takes a number"),
        _ => anyhow::bail!("usage: tests/bench/run [--rounds N]"),
    }
}
