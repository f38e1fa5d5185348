//! What a worker and the process of an attempt say to each other, a line of JSON each.

use std::time::Duration;

use queue::{LeaseStanding, LentLease, Report};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::codec::LinesCodec;

/// Longest line, in bytes: a process that has gone mad must not fill its worker's memory.
const MAX_LINE: usize = 1 << 20;

/// What the worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// The first line: what the process works under.
    Begin(Box<Begin>),
    /// The lease stands so from now on.
    Standing(LeaseStanding),
}

/// All that a process needs besides its environment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub(crate) lease: LentLease,
    /// Between two pulses.
    pub(crate) pulse: Duration,
    /// What the worker's binary tells itself.
    pub(crate) setup: Value,
}

/// What the process says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// Its runtime turns.
    Pulse,
    /// What the process tells its worker's binary.
    Note(Value),
    /// The last line: how the attempt ended.
    Report(Box<Report>),
    /// The last line instead: the attempt panicked.
    Panicked,
}

/// Lines of either side.
pub(crate) fn lines() -> LinesCodec {
    LinesCodec::new_with_max_length(MAX_LINE)
}
