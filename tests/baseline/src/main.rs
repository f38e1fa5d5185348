//! Runs each fault against both queues, and prints what was seen side by side.
//!
//! Arguments: words; only faults whose names hold one of them are run.

mod column;
mod faults;
mod seen;

use column::Column;
use faults::Fault;
use futures::StreamExt;
use futures::stream;

/// Faults at once: most of each is waiting.
const AT_ONCE: usize = 3;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |fault: &Fault| {
        words.is_empty() || words.iter().any(|word| fault.name.contains(word.as_str()))
    };
    let faults: Vec<Fault> = faults::all().into_iter().filter(wanted).collect();
    anyhow::ensure!(!faults.is_empty(), "no fault is called so");

    let (alone, together): (Vec<_>, Vec<_>) = faults.iter().partition(|fault| fault.alone);
    let mut rows: Vec<(&str, String)> =
        stream::iter(together).map(row).buffer_unordered(AT_ONCE).collect().await;
    for fault in alone {
        rows.push(row(fault).await);
    }
    println!("\n| fault | stillcast {} | apalis-redis 1.0.0 |", env!("CARGO_PKG_VERSION"));
    println!("|---|---|---|");
    for fault in &faults {
        let row = rows.iter().find(|(name, _)| *name == fault.name);
        println!("| {} | {} |", fault.name, row.map_or("", |(_, cells)| cells));
    }
    Ok(())
}

/// Both columns at once, each on a server of its own; alone, one after the other.
async fn row(fault: &Fault) -> (&'static str, String) {
    let [ours, theirs] = Column::ALL.map(|column| fault.run(column));
    let cells = if fault.alone { (ours.await, theirs.await) } else { tokio::join!(ours, theirs) };
    let words = |cell: anyhow::Result<String>| {
        cell.unwrap_or_else(|error| format!("could not be measured: {error:#}"))
    };
    let (ours, theirs) = (words(cells.0), words(cells.1));
    println!("{}\n  {}: {ours}\n  {}: {theirs}", fault.name, Column::ALL[0], Column::ALL[1]);
    (fault.name, format!("{ours} | {theirs}"))
}
