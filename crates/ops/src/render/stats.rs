//! The queue's numbers at one moment go in, text for people comes out.

use queue::QueueStats;

use super::table::pairs;
use super::units::{between, moment, seconds};

/// What is still to be told, and to how many nothing more is.
fn webhooks(stats: &QueueStats) -> String {
    let off = stats.webhooks_off;
    let off = if off > 0 { format!(", {off} endpoints off") } else { String::new() };
    format!("{} owed{off}", stats.webhooks_owed)
}

/// Depth, age and states, one a line.
pub(crate) fn stats_view(stats: &QueueStats) -> String {
    let states = &stats.states;
    let due = |count: u64, due: u64| {
        Some(if due > 0 { format!("{count}, {due} due") } else { count.to_string() })
    };
    pairs(&[
        ("queue", Some(stats.queue.clone() + if stats.paused { ", paused" } else { "" })),
        ("workers", Some(stats.workers.to_string())),
        ("ready", Some(stats.depth.to_string())),
        ("oldest", stats.oldest_s.map(seconds)),
        ("empty in", stats.empty_in.map(between)),
        ("leased", Some(states.leased.to_string())),
        ("parked", due(states.parked, stats.due_parked)),
        ("delayed", due(states.delayed, stats.due_delayed)),
        ("done", Some(states.done.to_string())),
        ("dead", Some(states.dead.to_string())),
        ("cancelled", Some(states.cancelled.to_string())),
        ("expired", Some(states.expired.to_string())),
        ("enqueued", Some(stats.enqueued.to_string())),
        ("purged", Some(stats.purged.to_string())),
        ("trash", Some(stats.trash.to_string())),
        ("webhooks", Some(webhooks(stats))),
        ("last gap", stats.gap_at.map(moment)),
    ])
}
