//! The numbers of one script become names: depth, ages, states.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::QueueError;

/// One consistent look at a queue.
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
    /// Ready jobs that must run alone, since workers died under them.
    pub solo: u64,
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
    /// When nobody had reaped for too long, the last time.
    pub gap_at: Option<DateTime<Utc>>,
}

/// Jobs by state; ready includes solo.
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
    /// Reads the answer of `lua/stats.lua`; `prefix` is that of the queue's keys.
    pub(super) fn from_answer(prefix: &str, answer: &[i64]) -> Result<Self, QueueError> {
        let &[
            enqueued,
            purged,
            delayed,
            ready,
            parked,
            leased,
            done,
            dead,
            cancelled,
            expired,
            due_delayed,
            due_parked,
            solo,
            oldest_ms,
            paused,
            workers,
            gap_ms,
            now_ms,
            trash,
        ] = answer
        else {
            let answer = format!("{} numbers", answer.len());
            return Err(QueueError::Protocol { script: "stats", answer });
        };
        let [delayed, ready, parked, leased, done, dead, cancelled, expired] =
            [delayed, ready, parked, leased, done, dead, cancelled, expired].map(count);
        let states = StateCounts { delayed, ready, parked, leased, done, dead, cancelled, expired };
        Ok(Self {
            queue: name_in(prefix).to_owned(),
            at: moment(now_ms).unwrap_or_default(),
            paused: paused == 1,
            depth: ready,
            oldest_s: (oldest_ms >= 0).then_some(oldest_ms as f64 / 1000.0),
            states,
            solo: count(solo),
            due_delayed: count(due_delayed),
            due_parked: count(due_parked),
            workers: count(workers),
            enqueued: count(enqueued),
            purged: count(purged),
            trash: count(trash),
            gap_at: moment(gap_ms),
        })
    }
}

impl StateCounts {
    /// Jobs that have not ended.
    pub fn open(&self) -> u64 {
        self.delayed + self.ready + self.parked + self.leased
    }

    /// Jobs in any state.
    pub fn all(&self) -> u64 {
        self.open() + self.done + self.dead + self.cancelled + self.expired
    }
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn moment(ms: i64) -> Option<DateTime<Utc>> {
    if ms > 0 { DateTime::from_timestamp_millis(ms) } else { None }
}

/// `{q:<name>}:` → `<name>`.
fn name_in(prefix: &str) -> &str {
    prefix
        .split_once(':')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map_or(prefix, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_finds_its_name() {
        let answer: Vec<i64> = (1..=19).collect();
        let stats = QueueStats::from_answer("{q:evening}:", &answer).unwrap();
        assert_eq!((stats.queue.as_str(), stats.enqueued, stats.purged), ("evening", 1, 2));
        assert_eq!((stats.states.delayed, stats.states.expired, stats.depth), (3, 10, 4));
        assert_eq!((stats.solo, stats.oldest_s, stats.workers), (13, Some(0.014), 16));
        assert_eq!((stats.paused, stats.at.timestamp_millis(), stats.trash), (false, 18, 19));
        assert!(QueueStats::from_answer("{q:evening}:", &answer[1..]).is_err());
    }
}
