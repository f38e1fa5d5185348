//! One look at the queue goes in; which alerts hold comes out.

use std::collections::VecDeque;
use std::time::Duration;

use stillcast_enqueue::State;
use tokio::time::Instant;

use crate::numbers::Numbers;

/// Jobs that have died within this time are news.
pub(crate) const NEWS: Duration = Duration::from_mins(10);
/// The age of a job in seconds from which a wait is too long.
const LONG_WAIT_S: f64 = 300.0;
/// The same while a provider refuses.
const LONG_REFUSAL_S: f64 = 120.0;

/// Something that people should know of.
#[derive(Clone, Copy, Debug)]
pub struct Alert {
    /// Its name, the same as that of Prometheus' rule and of the runbook's entry.
    pub name: &'static str,
    /// `page` when jobs do not move, or soon will not; else `ticket`.
    pub severity: &'static str,
    /// How long it must hold before anybody is told.
    pub after: Duration,
    /// One sentence.
    pub summary: &'static str,
    /// Given whether it was told as firing.
    holds: fn(&Look, bool) -> bool,
}

/// All of them; the first is what a server tells that cannot ask the others.
pub const ALERTS: [Alert; 8] = [
    Alert {
        name: UNREACHABLE,
        severity: PAGE,
        after: SOON,
        summary: "No server tells the numbers of a queue: none runs, none is scraped, or none \
                  reaches Redis.",
        // Whoever has looked has reached it.
        holds: |_, _| false,
    },
    Alert {
        name: NO_WORKERS,
        severity: PAGE,
        after: SOON,
        summary: "Jobs wait, and no worker has signed on.",
        holds: |look, _| look.numbers.stats.workers == 0 && could_run(&look.numbers) > 0,
    },
    Alert {
        name: JOBS_WAIT_TOO_LONG,
        severity: PAGE,
        after: SOON,
        summary: "A job has waited for a slot for more than five minutes.",
        holds: |look, _| oldest_ready_s(&look.numbers) > LONG_WAIT_S,
    },
    Alert {
        name: PROVIDER_REFUSES,
        severity: PAGE,
        after: SOON,
        summary: "Jobs have waited for more than two minutes for a provider's account or set-up, \
                  or for a part that the workers lack.",
        holds: |look, _| look.numbers.oldest_s(State::Parked, &["provider"]) > LONG_REFUSAL_S,
    },
    Alert {
        name: DUE_JOBS_STAY,
        severity: TICKET,
        after: Duration::from_mins(2),
        summary: "Jobs whose time has come stay where they are: nobody claims or reaps.",
        holds: |look, _| look.numbers.stats.due_delayed + look.numbers.stats.due_parked > 0,
    },
    Alert {
        name: DEAD_LETTERS,
        severity: TICKET,
        after: Duration::ZERO,
        summary: "Jobs have died within ten minutes, and will not run again by themselves.",
        holds: |look, is_firing| {
            look.numbers.stats.states.dead > look.fewest_dead || (is_firing && look.is_young)
        },
    },
    Alert {
        name: PAUSED,
        severity: TICKET,
        after: Duration::from_mins(15),
        summary: "The queue has been paused for a quarter of an hour.",
        holds: |look, _| look.numbers.stats.paused,
    },
    Alert {
        name: "StillcastRedisFull",
        severity: PAGE,
        after: SOON,
        summary: "The queue's Redis has used 70 % of its memory; at 75 % no new job is taken.",
        holds: |look, _| is_full(&look.numbers),
    },
];

const UNREACHABLE: &str = "StillcastQueueUnreachable";
pub(crate) const NO_WORKERS: &str = "StillcastNoWorkers";
pub(crate) const JOBS_WAIT_TOO_LONG: &str = "StillcastJobsWaitTooLong";
pub(crate) const PROVIDER_REFUSES: &str = "StillcastProviderRefuses";
pub(crate) const DUE_JOBS_STAY: &str = "StillcastDueJobsStay";
pub(crate) const DEAD_LETTERS: &str = "StillcastDeadLetters";
pub(crate) const PAUSED: &str = "StillcastPaused";
pub(crate) const PAGE: &str = "page";
const TICKET: &str = "ticket";
const SOON: Duration = Duration::from_secs(15);

/// What an alert is judged by.
pub(crate) struct Look {
    pub(crate) numbers: Numbers,
    /// The fewest dead letters of late.
    pub(super) fewest_dead: u64,
    /// Whether this server has not watched for long enough to know what is news.
    pub(super) is_young: bool,
}

impl Look {
    /// These numbers alone: what is news is not judged by them.
    pub(crate) fn at(numbers: Numbers) -> Self {
        let fewest_dead = numbers.stats.states.dead;
        Self { numbers, fewest_dead, is_young: false }
    }
}

impl Alert {
    /// `is_firing` if that was told last.
    pub(crate) fn holds(&self, look: &Look, is_firing: bool) -> bool {
        (self.holds)(look, is_firing)
    }

    /// Whether servers cannot agree on who tells of it, since that takes the queue.
    pub(super) fn is_told_by_all(&self) -> bool {
        self.name == UNREACHABLE
    }

    /// What to do, in the repository of this program.
    pub fn runbook_url(&self) -> String {
        format!("deploy/RUNBOOK.md#{}", self.name.to_ascii_lowercase())
    }
}

fn could_run(numbers: &Numbers) -> u64 {
    let stats = &numbers.stats;
    stats.states.ready + stats.due_delayed + stats.due_parked
}

fn oldest_ready_s(numbers: &Numbers) -> f64 {
    numbers.oldest_s(State::Ready, &["slot", "alone"])
}

fn is_full(numbers: &Numbers) -> bool {
    let of = |server: queue::ServerNumbers| server.used_bytes / 7 > server.max_bytes / 10;
    numbers.server.is_some_and(|server| server.max_bytes > 0 && of(server))
}

/// How many dead letters there were of late.
pub(super) struct Dead {
    since: Instant,
    counts: VecDeque<(Instant, u64)>,
}

impl Dead {
    /// From now on.
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), counts: VecDeque::new() }
    }

    pub(super) fn is_young(&self) -> bool {
        self.since.elapsed() < NEWS
    }

    /// There are `count` now; the fewest within the time that is news.
    pub(super) fn fewest(&mut self, count: u64) -> u64 {
        let now = Instant::now();
        self.counts.push_back((now, count));
        while self.counts.front().is_some_and(|(at, _)| now.duration_since(*at) > NEWS) {
            self.counts.pop_front();
        }
        self.counts.iter().map(|(_, count)| *count).min().unwrap_or(count)
    }
}
