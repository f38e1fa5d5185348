//! A look at a queue goes in; for what its jobs wait, how many, and for how long, comes out.
//!
//! It is read off the jobs that wait now, never off those that have ended: a queue in which nothing
//! moves tells its age all the same.

use chrono::{DateTime, Utc};
use stillcast_enqueue::State;

use super::inspector::Inspector;
use crate::QueueError;
use crate::stats::QueueStats;

/// Most jobs of one index that are looked at; the rest is `unread`.
pub const LOOKED_AT: usize = 5_000;
/// Jobs that one call reads.
const A_CALL: usize = 500;
/// Of jobs that wait for nothing but a slot, so many of those whose turn is next.
const HEADS: usize = 100;

/// The states in which jobs wait, and for what, in one word. No other pair is ever told.
pub const WAITS: [(State, &str); 11] = [
    (State::Ready, "slot"),
    (State::Ready, "paused"),
    (State::Delayed, "date"),
    (State::Delayed, "retry"),
    (State::Delayed, UNREAD),
    (State::Parked, "provider"),
    (State::Parked, "rate"),
    (State::Parked, "budget"),
    (State::Parked, "flight"),
    (State::Parked, "version"),
    (State::Parked, UNREAD),
];
const UNREAD: &str = "unread";

/// Jobs that wait for one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// Ready, delayed or parked.
    pub state: State,
    /// For a `slot`, until the queue is no longer `paused`; for a `date` or a `retry`;
    /// for a `provider`, a `rate`, a `budget`, a `flight` or a `version`; `unread` where too many wait to look at.
    pub reason: &'static str,
    /// How many.
    pub jobs: u64,
    /// The time in seconds since the oldest of them first became ready; 0 where none has.
    pub oldest_s: f64,
}

/// What is looked at of a job.
const FIELDS: [&str; 4] = ["state", "reason", "ready_ms", "fence"];
/// They, as they are stored.
type Facts = [Option<String>; FIELDS.len()];

impl Inspector {
    /// One for each of [`WAITS`], in their order. `stats` is the look at the queue that they go with: the
    /// jobs of a state add up to what it says, unless they have moved since.
    pub async fn waits(&self, stats: &QueueStats) -> Result<Vec<Wait>, QueueError> {
        let mut tally = Tally::new(stats.at);
        let for_what = if stats.paused { "paused" } else { "slot" };
        let read = self.look("ready", HEADS).await?;
        tally.add(State::Ready, for_what, stats.states.ready, &read);
        for (state, count) in
            [(State::Delayed, stats.states.delayed), (State::Parked, stats.states.parked)]
        {
            let read = self.look(state.as_str(), LOOKED_AT).await?;
            let seen = tally.sort(state, &read);
            tally.add(state, UNREAD, count.saturating_sub(seen), &[]);
        }
        Ok(tally.waits)
    }

    /// The first jobs of an index.
    async fn look(&self, index: &str, most: usize) -> Result<Vec<Facts>, QueueError> {
        let keys = self.endpoint.keys();
        let mut connection = self.connection.clone();
        let mut zrange = redis::cmd("ZRANGE");
        zrange.arg(keys.named(index)).arg(0).arg(most - 1);
        let ids: Vec<String> = zrange.query_async(&mut connection).await?;
        let mut read = Vec::with_capacity(ids.len());
        for ids in ids.chunks(A_CALL) {
            let mut pipeline = redis::pipe();
            for id in ids {
                pipeline.cmd("HMGET").arg(keys.job(id)).arg(&FIELDS);
            }
            let facts: Vec<Facts> = pipeline.query_async(&mut connection).await?;
            read.extend(facts);
        }
        Ok(read)
    }
}

/// The waits as they are counted.
struct Tally {
    now: DateTime<Utc>,
    waits: Vec<Wait>,
}

impl Tally {
    fn new(now: DateTime<Utc>) -> Self {
        let none = |(state, reason)| Wait { state, reason, jobs: 0, oldest_s: 0.0 };
        Self { now, waits: WAITS.into_iter().map(none).collect() }
    }

    /// `jobs` more wait for `reason`; `read` are some of them.
    fn add(&mut self, state: State, reason: &str, jobs: u64, read: &[Facts]) {
        let oldest = read.iter().map(|facts| self.age(facts)).fold(0.0, f64::max);
        let is_it = |wait: &&mut Wait| wait.state == state && wait.reason == reason;
        if let Some(wait) = self.waits.iter_mut().find(is_it) {
            wait.jobs += jobs;
            wait.oldest_s = wait.oldest_s.max(oldest);
        }
    }

    /// Each of `read` goes to its reason, unless it has moved on meanwhile; how many were there.
    fn sort(&mut self, state: State, read: &[Facts]) -> u64 {
        let mut seen = 0;
        for facts in read.iter().filter(|[now, ..]| now.as_deref() == Some(state.as_str())) {
            let reason = reason(state, facts);
            self.add(state, reason, 1, std::slice::from_ref(facts));
            seen += 1;
        }
        seen
    }

    /// Seconds since it first became ready.
    fn age(&self, [_, _, ready_ms, _]: &Facts) -> f64 {
        let ready_ms = ready_ms.as_ref().and_then(|ms| ms.parse().ok());
        let ready = ready_ms.and_then(DateTime::from_timestamp_millis);
        let age = ready.and_then(|ready| (self.now - ready).to_std().ok());
        age.unwrap_or_default().as_secs_f64()
    }
}

/// What a delayed or parked job waits for. A word that is newer than this program is not guessed at.
fn reason(state: State, [_, told, _, fence]: &Facts) -> &'static str {
    if state == State::Delayed {
        return if fence.is_some() { "retry" } else { "date" };
    }
    let told = told.as_deref().unwrap_or_default();
    let known = WAITS.iter().find(|(of, word)| *of == state && *word == told);
    known.map_or(UNREAD, |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(state: &str, reason: &str, ready_ms: &str, fence: &str) -> Facts {
        [state, reason, ready_ms, fence]
            .map(|text| Some(text.to_owned()).filter(|_| !text.is_empty()))
    }

    #[test]
    fn each_job_goes_to_its_reason_and_what_moved_on_to_none() {
        let mut tally = Tally::new(DateTime::from_timestamp_millis(100_000).unwrap());
        let parked = [
            facts("parked", "provider", "40000", "1"),
            facts("parked", "provider", "90000", "1"),
            facts("parked", "novelty", "70000", "1"),
            facts("ready", "", "1000", "1"),
        ];
        assert_eq!(tally.sort(State::Parked, &parked), 3);
        let delayed = [facts("delayed", "", "160000", ""), facts("delayed", "", "99000", "2")];
        assert_eq!(tally.sort(State::Delayed, &delayed), 2);
        let of = |state, reason| {
            let found =
                tally.waits.iter().find(|wait| (wait.state, wait.reason) == (state, reason));
            found.map(|wait| (wait.jobs, wait.oldest_s)).unwrap()
        };
        assert_eq!(of(State::Parked, "provider"), (2, 60.0));
        assert_eq!(of(State::Parked, "unread"), (1, 30.0));
        assert_eq!(of(State::Delayed, "date"), (1, 0.0), "its time is to come");
        assert_eq!(of(State::Delayed, "retry"), (1, 1.0));
        assert_eq!(tally.waits.iter().map(|wait| wait.jobs).sum::<u64>(), 5);
    }
}
