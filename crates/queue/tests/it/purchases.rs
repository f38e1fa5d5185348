//! A fleet whose provider sells what nobody there can read, for a day by a clock of the test: how often
//! it is paid.
//!
//! Redis keeps the fleet's schedule as it does in earnest. What a worker adds is modelled here: its
//! breaker, as `consumer/breaker.rs` keeps it, and what it remembers of a purchase, as
//! `http/known_fault.rs` of the providers does.

use queue::{REFUSALS_A_DAY, Verb};

use crate::fixture::Queue;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// `PROBE_INTERVAL`.
const INTERVAL: i64 = 30 * SECOND;
/// What a purchase is remembered for at first, and at most.
const REMEMBERED: (i64, i64) = (10 * SECOND, 2 * HOUR);

/// A worker, as far as it decides about purchases.
#[derive(Clone, Copy, Default)]
struct Worker {
    /// When it asks again, and when it was last refused, while its breaker is open.
    open: Option<(i64, i64)>,
    /// How long the last purchase is remembered, and until when.
    known: Option<(i64, i64)>,
    bought: usize,
}

/// A fleet in front of one queue.
struct Fleet {
    queue: Queue,
    workers: Vec<Worker>,
    now: i64,
}

impl Fleet {
    /// Says `step` of the voice, and of how many calls; the time until the fleet's next probe.
    fn tell(&mut self, step: &str, calls: usize) -> i64 {
        let (first, longest) = (INTERVAL.to_string(), (10 * MINUTE).to_string());
        let budget = REFUSALS_A_DAY.to_string();
        let answer = self
            .queue
            .call(Verb::Probe, &["tts", step, &first, &longest, &budget, &calls.to_string()]);
        answer[0].parse().expect("a number of ms")
    }

    /// Worker `at` may claim: a job that needs the voice, or one that does not.
    fn turn(&mut self, at: usize, needs_voice: bool) {
        if let Some((again, last)) = self.workers[at].open {
            if self.now < again {
                return;
            }
            let wait = self.tell("may", 0);
            if wait > 0 {
                self.workers[at].open = Some((self.now + wait.min(INTERVAL), last));
                return;
            }
            if !needs_voice {
                let is_forgotten = self.now - last >= 2 * INTERVAL;
                if !is_forgotten {
                    self.tell("unmet", 0);
                }
                self.workers[at].open = (!is_forgotten).then_some((self.now, last));
                return;
            }
        }
        if needs_voice {
            let calls = self.workers[at].buy(self.now);
            let wait = self.tell("refused", calls.max(1));
            self.workers[at].open = Some((self.now + wait.min(INTERVAL), self.now));
        }
    }
}

impl Worker {
    /// One attempt: the first unreadable answer of a process is an accident, and bought again. How often
    /// it bought.
    fn buy(&mut self, now: i64) -> usize {
        let (first, longest) = REMEMBERED;
        let wait = match self.known {
            Some((_, until)) if now < until => return 0,
            Some((wait, _)) => (wait * 3).min(longest),
            None => first,
        };
        let bought = if self.known.is_none() { 2 } else { 1 };
        self.bought += bought;
        self.known = Some((wait, now + wait));
        bought
    }
}

/// What a day costs a fleet of so many workers, each of which turns once an interval; one job in `share`
/// needs the voice.
fn bought_in_a_day(workers: usize, share: u32) -> usize {
    let mut fleet =
        Fleet { queue: Queue::start(), workers: vec![Worker::default(); workers], now: 0 };
    let step = INTERVAL / i64::try_from(workers).expect("a few");
    // Of a fixed seed: an order of jobs like any other.
    let mut seed = 1_u32;
    while fleet.now < 24 * HOUR {
        for at in 0..workers {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            fleet.turn(at, (seed >> 16).is_multiple_of(share));
            fleet.queue.advance(step);
            fleet.now += step;
        }
    }
    fleet.workers.iter().map(|worker| worker.bought).sum()
}

/// Fleets, and of how many jobs one needs the voice.
const DAYS: [(usize, u32); 11] = [
    (1, 1),
    (1, 20),
    (3, 1),
    (3, 2),
    (3, 20),
    (6, 5),
    (6, 100),
    (8, 1),
    (8, 20),
    (12, 1),
    (12, 20),
];

/// The first unreadable answer of a process is bought twice: beyond eight workers, that is more than the
/// day has.
#[test]
fn a_day_of_unreadable_answers_costs_a_fleet_few_purchases() {
    // Where most jobs go without the voice, breakers close and open again.
    for (workers, share) in DAYS {
        let bought = bought_in_a_day(workers, share);
        let most = 20 + 2 * workers.saturating_sub(8);
        assert!(
            (5..=most).contains(&bought),
            "{workers} workers, one job in {share}: bought {bought} times"
        );
    }
}
