//! The queue as plain data without Redis: commands go in, the answers and the state that the crate's
//! README promises come out. It is slow and obvious, and shares no line with the scripts.

mod clockwork;
mod flights;
mod operators;
mod render;
mod verbs;
pub(crate) mod webhooks;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use queue::Limits;
use stillcast_enqueue::State;

use crate::fixture::{DEFAULT_DEADLINE, Standing};

/// The words of an answer.
pub(crate) type Answer = Vec<String>;
/// Between the words of one job where it is one text.
pub(crate) const BETWEEN: &str = "\u{1f}";

/// Everything that a queue remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) now: i64,
    pub(crate) limits: Limits,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) flights: BTreeMap<String, Flight>,
    pub(crate) workers: BTreeMap<String, Worker>,
    /// By tenant and key.
    pub(crate) idempotency: BTreeMap<(String, String), String>,
    /// Work folders and when they may go.
    pub(crate) trash: BTreeMap<String, i64>,
    /// What is or was owed for the end of each job.
    pub(crate) webhooks: BTreeMap<String, webhooks::Webhook>,
    /// Endpoints that are off, and since when.
    pub(crate) webhooks_off: BTreeMap<String, i64>,
    /// What people have done.
    pub(crate) audit: Vec<Line>,
    pub(crate) paused: Option<i64>,
    pub(crate) reap_at: Option<i64>,
    pub(crate) gap_at: Option<i64>,
    pub(crate) enqueued: i64,
    pub(crate) purged: i64,
    /// The last time by which a job was ranked, and how far it is ahead of the clock.
    pub(crate) ranked: i64,
    pub(crate) ahead: i64,
    /// The wake marker.
    pub(crate) wake: bool,
    /// The digest of what each body says, as Redis computes it.
    pub(crate) digests: BTreeMap<String, String>,
}

/// What a person has done.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) action: &'static str,
    pub(crate) result: &'static str,
    pub(crate) job: String,
    pub(crate) tenant: String,
    pub(crate) at: i64,
    /// What was changed of the request.
    pub(crate) changes: Option<String>,
}

/// One job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) state: State,
    /// Changes that were announced.
    pub(crate) revision: i64,
    pub(crate) request: String,
    /// Whether the request is still there, and when it goes by itself.
    pub(crate) body: Option<Body>,
    pub(crate) tenant: String,
    pub(crate) key: Option<String>,
    pub(crate) priority: i64,
    pub(crate) enqueued: i64,
    pub(crate) ready_ms: i64,
    /// Where its rank begins when the clock was set back.
    pub(crate) ranked: Option<i64>,
    pub(crate) deadline: i64,
    pub(crate) deadline_len: i64,
    pub(crate) max_attempts: i64,
    /// Who wants to be told of its end, and where that stands.
    pub(crate) webhook: Option<String>,
    pub(crate) delivery: Option<String>,
    pub(crate) fence: i64,
    pub(crate) lease: Option<Lease>,
    /// The lease under which it was delivered: its fields stay.
    pub(crate) delivered: Option<Lease>,
    pub(crate) attempts: i64,
    pub(crate) crashes: i64,
    /// Interruptions since the last checkpoint.
    pub(crate) stalls: i64,
    pub(crate) interruptions: i64,
    pub(crate) reason: Option<String>,
    pub(crate) wake_at: Option<i64>,
    pub(crate) started: Option<i64>,
    pub(crate) finished: Option<i64>,
    pub(crate) last_report: Option<(String, State)>,
    /// In the order in which they were joined: that is the order of their promotions.
    pub(crate) owns: Vec<String>,
    pub(crate) awaits: BTreeSet<String>,
    pub(crate) heir: Vec<String>,
    /// Fields that decide nothing: stage, percent, error, artifact, checkpoints.
    pub(crate) notes: BTreeMap<String, String>,
}

impl Job {
    /// Into a state, which is announced.
    pub(crate) fn enter(&mut self, state: State) {
        self.state = state;
        self.revision += 1;
    }
}

/// Whether a request can still be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Kept,
    DiesAt(i64),
}

/// The right to work on a job.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) token: String,
    pub(crate) worker: String,
    pub(crate) expiry: i64,
    pub(crate) begun: bool,
    pub(crate) cancel: bool,
}

/// Who pays for a flight, or what came of it.
#[derive(Clone, Debug)]
pub(crate) enum Flight {
    Owned { job: String, token: String },
    Landed { how: String, dies_at: i64 },
}

/// One worker's line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Worker {
    pub(crate) seen: i64,
    pub(crate) draining: bool,
    /// The nonces of its latest claims, and the jobs that each brought; the latest first.
    pub(crate) claims: Vec<(String, Vec<String>)>,
    pub(crate) standing: Option<Standing>,
}

impl Job {
    /// First-ready ms − 60,000 × priority; the lowest goes first.
    pub(crate) fn rank(&self) -> i64 {
        self.ranked.unwrap_or(self.ready_ms) - 60_000 * self.priority
    }

    /// Whether it lies in `deadlines`: what is ready and has a day or more is found by its rank.
    pub(crate) fn is_among_deadlines(&self) -> bool {
        let waits = self.lease.is_none() && !self.state.is_terminal();
        waits && (self.state != State::Ready || self.deadline - self.ready_ms < DEFAULT_DEADLINE)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.lease.as_ref().map(|lease| lease.token.as_str())
    }

    pub(crate) fn waits_for_a_flight(&self) -> bool {
        self.state == State::Parked && self.reason.as_deref() == Some("flight")
    }
}

impl Model {
    pub(crate) fn new(now: i64, limits: Limits, digests: BTreeMap<String, String>) -> Self {
        Self { now, limits, digests, ..Self::default() }
    }

    /// The clock of ranks never goes back. Moves it to now; how far it is ahead.
    pub(crate) fn rank_clock(&mut self) -> i64 {
        if self.now + self.ahead < self.ranked {
            self.ahead = self.ranked + 1 - self.now;
        }
        self.ranked = self.now + self.ahead;
        self.ahead
    }

    pub(crate) fn job(&mut self, id: &str) -> &mut Job {
        self.jobs.get_mut(id).expect("the caller looked it up")
    }

    /// Ids of the jobs that `which` accepts, in the order of `score`, then of the id.
    pub(crate) fn ordered(
        &self,
        which: impl Fn(&Job) -> bool,
        score: impl Fn(&Job) -> i64,
    ) -> Vec<String> {
        let mut found: Vec<(i64, &String)> = self
            .jobs
            .iter()
            .filter(|(_, job)| which(job))
            .map(|(id, job)| (score(job), id))
            .collect();
        found.sort();
        found.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// Ids of the ready jobs, best rank first.
    pub(crate) fn ready(&self) -> Vec<String> {
        self.ordered(|job| job.state == State::Ready, Job::rank)
    }

    pub(crate) fn count(&self, state: State) -> usize {
        self.jobs.values().filter(|job| job.state == state).count()
    }

    pub(crate) fn holds(&self, id: &str, token: &str) -> bool {
        self.jobs.get(id).is_some_and(|job| job.token() == Some(token))
    }

    /// Milliseconds until something that waits becomes due; −1 when nothing does.
    pub(crate) fn next_due(&self) -> i64 {
        let due = self.jobs.values().filter_map(|job| match job.state {
            State::Delayed => Some(job.wake_at.unwrap_or(job.ready_ms)),
            State::Parked => job.wake_at,
            _ => None,
        });
        due.min().map_or(-1, |due| (due - self.now).max(0))
    }

    /// Lets time pass: what had a time to live and outlived it is gone.
    pub(crate) fn set_time(&mut self, now: i64) {
        self.now = now;
        self.flights.retain(
            |_, flight| !matches!(flight, Flight::Landed { dies_at, .. } if *dies_at <= now),
        );
        for job in self.jobs.values_mut() {
            if matches!(job.body, Some(Body::DiesAt(at)) if at <= now) {
                job.body = None;
            }
        }
    }
}

/// The words of an answer.
pub(crate) fn words(words: &[&str]) -> Answer {
    words.iter().map(|word| (*word).to_owned()).collect()
}
