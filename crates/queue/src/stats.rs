//! The numbers of `lua/stats.lua` go in, one typed look at a queue comes out.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stillcast_enqueue::{Eta, State};

use crate::QueueError;
use crate::numbers::Numbers;

const SCRIPT: &str = "stats";

/// One consistent look at a queue.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueStats {
    /// The queue's name.
    pub queue: String,
    /// When, by the clock of Redis.
    pub at: DateTime<Utc>,
    /// Whether claims are stopped.
    pub paused: bool,
    /// Jobs that may be claimed now: what the indexes hold at this moment.
    pub depth: u64,
    /// Age in seconds of the ready job whose turn is next; null when none is ready.
    pub oldest_s: Option<f64>,
    /// Jobs by state.
    pub states: StateCounts,
    /// Delayed jobs whose time has come.
    pub due_delayed: u64,
    /// Parked jobs whose time has come.
    pub due_parked: u64,
    /// Worker processes that have signed on and not off.
    pub workers: u64,
    /// Jobs ever accepted.
    pub enqueued: u64,
    /// Records ever removed.
    pub purged: u64,
    /// Work folders that wait for the janitor.
    pub trash: u64,
    /// Ends of jobs that are still to be told to those who asked.
    #[serde(default)]
    pub webhooks_owed: u64,
    /// Endpoints that have said that they want no more.
    #[serde(default)]
    pub webhooks_off: u64,
    /// When nobody had reaped for too long, the last time.
    pub gap_at: Option<DateTime<Utc>>,
    /// When what may be claimed now, or is worked on, is likely to be done; null where too little is
    /// known, or no worker claims.
    #[serde(default)]
    pub empty_in: Option<Eta>,
}

/// Jobs by state.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCounts {
    /// Wait for a time.
    pub delayed: u64,
    /// May be claimed now.
    pub ready: u64,
    /// Wait for an event.
    pub parked: u64,
    /// Are worked on.
    pub leased: u64,
    /// Were delivered.
    pub done: u64,
    /// Will not run again by themselves.
    pub dead: u64,
    /// Were ended by a person.
    pub cancelled: u64,
    /// Were ended by their deadline.
    pub expired: u64,
}

impl QueueStats {
    /// Reads the script's answer; `prefix` is that of the queue's keys.
    pub(crate) fn from_numbers(prefix: &str, numbers: &Numbers) -> Result<Self, QueueError> {
        let number = |name| numbers.get(SCRIPT, name);
        let count = |name| numbers.count(SCRIPT, name);
        let states = StateCounts::from_numbers(numbers)?;
        let oldest_ms = number("oldest_ms")?;
        Ok(Self {
            queue: name_in(prefix).to_owned(),
            at: moment(number("now_ms")?).unwrap_or_default(),
            paused: number("paused")? == 1,
            depth: states.ready,
            oldest_s: (oldest_ms >= 0).then_some(oldest_ms as f64 / 1000.0),
            states,
            due_delayed: count("due_delayed")?,
            due_parked: count("due_parked")?,
            workers: count("workers")?,
            enqueued: count("enqueued")?,
            purged: count("purged")?,
            trash: count("trash")?,
            webhooks_owed: count("webhooks_owed")?,
            webhooks_off: count("webhooks_off")?,
            gap_at: moment(number("gap_ms")?),
            empty_in: None,
        })
    }

    /// Jobs that are worked on, or will be without a person's doing or a distant date: what a worker
    /// that ends with the queue waits for.
    pub fn unfinished(&self) -> u64 {
        self.states.ready + self.states.parked + self.states.leased + self.due_delayed
    }
}

impl StateCounts {
    /// As many of each state as `count` says.
    pub(crate) fn by(count: impl Fn(State) -> u64) -> Self {
        Self {
            delayed: count(State::Delayed),
            ready: count(State::Ready),
            parked: count(State::Parked),
            leased: count(State::Leased),
            done: count(State::Done),
            dead: count(State::Dead),
            cancelled: count(State::Cancelled),
            expired: count(State::Expired),
        }
    }

    fn from_numbers(numbers: &Numbers) -> Result<Self, QueueError> {
        let count = |state: State| numbers.count(SCRIPT, state.as_str());
        Ok(Self {
            delayed: count(State::Delayed)?,
            ready: count(State::Ready)?,
            parked: count(State::Parked)?,
            leased: count(State::Leased)?,
            done: count(State::Done)?,
            dead: count(State::Dead)?,
            cancelled: count(State::Cancelled)?,
            expired: count(State::Expired)?,
        })
    }

    /// Jobs in `state`.
    pub fn of(&self, state: State) -> u64 {
        match state {
            State::Delayed => self.delayed,
            State::Ready => self.ready,
            State::Parked => self.parked,
            State::Leased => self.leased,
            State::Done => self.done,
            State::Dead => self.dead,
            State::Cancelled => self.cancelled,
            State::Expired => self.expired,
        }
    }

    /// Jobs that have not ended.
    pub fn open(&self) -> u64 {
        self.delayed + self.ready + self.parked + self.leased
    }

    /// Jobs in any state.
    pub fn all(&self) -> u64 {
        self.open() + self.done + self.dead + self.cancelled + self.expired
    }
}

fn moment(ms: i64) -> Option<DateTime<Utc>> {
    if ms > 0 { DateTime::from_timestamp_millis(ms) } else { None }
}

/// `{q:<name>}:` → `<name>`.
pub(crate) fn name_in(prefix: &str) -> &str {
    prefix
        .split_once(':')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map_or(prefix, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: [(&str, i64); 20] = [
        ("enqueued", 1),
        ("purged", 2),
        ("delayed", 3),
        ("ready", 4),
        ("parked", 5),
        ("leased", 6),
        ("done", 7),
        ("dead", 8),
        ("cancelled", 9),
        ("expired", 10),
        ("due_delayed", 11),
        ("due_parked", 12),
        ("oldest_ms", 14),
        ("paused", 15),
        ("workers", 16),
        ("gap_ms", 17),
        ("now_ms", 18),
        ("trash", 19),
        ("webhooks_owed", 20),
        ("webhooks_off", 21),
    ];

    #[test]
    fn every_number_finds_its_name() {
        let stats = QueueStats::from_numbers("{q:evening}:", &Numbers::of(&ANSWER)).unwrap();
        assert_eq!((stats.queue.as_str(), stats.enqueued, stats.purged), ("evening", 1, 2));
        assert_eq!((stats.states.delayed, stats.states.expired, stats.depth), (3, 10, 4));
        assert_eq!((stats.oldest_s, stats.workers), (Some(0.014), 16));
        assert_eq!((stats.paused, stats.at.timestamp_millis(), stats.trash), (false, 18, 19));
        assert_eq!((stats.webhooks_owed, stats.webhooks_off), (20, 21));
        assert_eq!(stats.unfinished(), 4 + 5 + 6 + 11);
    }

    #[test]
    fn a_number_that_is_missing_is_named() {
        for (index, (missing, _)) in ANSWER.into_iter().enumerate() {
            let others = [&ANSWER[..index], &ANSWER[index + 1..]].concat();
            let error = QueueStats::from_numbers("{q:evening}:", &Numbers::of(&others));
            assert!(error.unwrap_err().to_string().contains(missing), "{missing}");
        }
    }
}
