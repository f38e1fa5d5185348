//! Numbers of all rounds become medians, ratios and one table with the targets beside them.

use std::collections::BTreeMap;
use std::fmt;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// LPUSH and BRPOP: the job is lost with its worker.
    List,
    /// A hash a job, a list, a zset of leases: one script acknowledges the last job and leases the
    /// next. No reaper, no retry, no token.
    Lease,
    /// `BullMQ` from npm, with its defaults.
    BullMq,
    /// This project's queue.
    Queue,
}

impl Subject {
    pub(crate) const ALL: [Self; 4] = [Self::List, Self::Lease, Self::BullMq, Self::Queue];

    /// How the command line names it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Lease => "lease",
            Self::BullMq => "bullmq",
            Self::Queue => "queue",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "bare list",
            Self::Lease => "bare lease",
            Self::BullMq => "BullMQ",
            Self::Queue => "queue",
        })
    }
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    EnqueueOne,
    EnqueueBatch,
    DrainFour,
    DrainSixtyFour,
    PickupMedian,
    PickupTail,
    RedisOne,
    RedisBatched,
    CommandsEnqueue,
    CommandsDrain,
    Worker,
    Memory,
    Log,
    Idle,
    CrowdNone,
    CrowdThousands,
    CrowdMillion,
    RealScripts,
    RealCommands,
    RealCpu,
    Removal,
    ReapCpu,
    ReapMedian,
    ReapTail,
    ReapWorst,
}

impl Measure {
    /// Each row: what is measured, its digits, and the target, as a ratio to the bare lease where one is
    /// given.
    #[rustfmt::skip]
    const ROWS: [(Self, &str, usize, &str); 25] = [
        (Self::EnqueueOne,      "enqueue one by one, jobs/s",         0, "≥ 0.60 ×"),
        (Self::EnqueueBatch,    "enqueue 100 a call, jobs/s",         0, "≥ 0.60 ×"),
        (Self::DrainFour,       "claim to report, 4 slots, jobs/s",   0, "≥ 0.30 ×"),
        (Self::DrainSixtyFour,  "claim to report, 64 slots, jobs/s",  0, "≥ 0.25 ×"),
        (Self::PickupMedian,    "pickup when idle, p50, ms",          2, "≤ 2.00 ×"),
        (Self::PickupTail,      "pickup when idle, p99, ms",          2, ""),
        (Self::RedisOne,        "Redis CPU a job, one by one, µs",    0, "≤ 2.2 ×"),
        (Self::RedisBatched,    "Redis CPU a job, batched, µs",       0, "≤ 4 ×"),
        (Self::CommandsEnqueue, "commands a job, enqueue",            1, "≤ 10"),
        (Self::CommandsDrain,   "commands a job, claim to report",    1, "≤ 18"),
        (Self::Worker,          "worker CPU a job, 4 slots, µs",      0, "≤ 80 µs"),
        (Self::Memory,          "memory a waiting job of 1 KiB, B",   0, "≤ 1,800 B"),
        (Self::Log,             "append-only file a job of 1 KiB, B", 0, "≤ 1,550 B"),
        (Self::Idle,            "commands a worker, idle second",     1, "≤ 2"),
        (Self::CrowdNone,       "Redis CPU a job, 10 wait, µs",       0, ""),
        (Self::CrowdThousands,  "Redis CPU a job, 10,000 wait, µs",   0, "≤ 1.3 × of 10"),
        (Self::CrowdMillion,    "Redis CPU a job, 1,000,000 wait, µs", 0, "≤ 1.3 × of 10"),
        (Self::RealScripts,     "scripts of a real video job",        0, ""),
        (Self::RealCommands,    "commands of a real video job",       0, ""),
        (Self::RealCpu,         "Redis CPU of a real video job, ms",  2, "≤ 1 ms"),
        (Self::Removal,         "old records removed, records/s",     0, "≥ 1,000"),
        (Self::ReapCpu,         "Redis CPU of its 100 records, ms",   2, ""),
        (Self::ReapMedian,      "a script that removes, p50, ms",     2, "≤ 5 ms"),
        (Self::ReapTail,        "a script that removes, p99, ms",     2, "≤ 5 ms"),
        (Self::ReapWorst,       "a script that removes, worst, ms",   2, ""),
    ];
}

/// All numbers so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    numbers: BTreeMap<(Measure, Subject), Vec<f64>>,
}

impl Table {
    pub(crate) fn note(&mut self, measure: Measure, subject: Subject, value: f64) {
        self.numbers.entry((measure, subject)).or_default().push(value);
    }

    fn median(&self, measure: Measure, subject: Subject) -> Option<f64> {
        let mut numbers = self.numbers.get(&(measure, subject))?.clone();
        numbers.sort_unstable_by(f64::total_cmp);
        let (low, high) = (numbers[(numbers.len() - 1) / 2], numbers[numbers.len() / 2]);
        Some(low.midpoint(high))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head =
            ["median", "bare list", "bare lease", "BullMQ", "queue", "queue ÷ lease", "target"];
        line(f, &head.map(str::to_owned))?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|---|")?;
        for (measure, name, digits, target) in Measure::ROWS {
            let medians = Subject::ALL.map(|subject| self.median(measure, subject));
            let [_, lease, _, queue] = medians;
            let ratio = queue.zip(lease).map(|(queue, lease)| format!("{:.2} ×", queue / lease));
            let [list, lease, bullmq, queue] = medians.map(|value| number(value, digits));
            let ratio = ratio.unwrap_or_default();
            line(f, &[name.to_owned(), list, lease, bullmq, queue, ratio, target.to_owned()])?;
        }
        Ok(())
    }
}

/// One row, aligned for terminals.
fn line(f: &mut fmt::Formatter<'_>, cells: &[String; 7]) -> fmt::Result {
    let [name, list, lease, bullmq, queue, ratio, target] = cells;
    writeln!(
        f,
        "| {name:<36} | {list:>9} | {lease:>10} | {bullmq:>8} | {queue:>8} | {ratio:>13} | {target:<14} |"
    )
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}
