//! What the scripts answer, in types.

use std::collections::HashMap;
use std::time::Duration;

use redis::{FromRedisValue, Value};

use crate::QueueError;
use crate::numbers::Numbers;

/// What a claim found.
#[derive(Debug)]
pub enum Claim {
    /// A job, now leased.
    Job(Box<ClaimedJob>),
    /// Nothing may be claimed now; look again after so long, if something is due then.
    Nothing {
        /// Why.
        why: Idle,
        /// Until something that waits becomes due.
        next_due: Option<Duration>,
    },
}

/// Why a claim found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// No job is ready.
    Empty,
    /// The queue is paused.
    Paused,
    /// This worker has reserved a job that must run alone.
    Hold,
}

/// A job under a new lease.
#[derive(Debug)]
pub struct ClaimedJob {
    /// The job.
    pub id: String,
    /// `fence:nonce`.
    pub token: String,
    /// The envelope's bytes.
    pub body: Vec<u8>,
    /// Until the deadline.
    pub remaining: Duration,
    /// The fields of the job's hash.
    pub hash: HashMap<String, String>,
}

/// What a reap did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Leases ended.
    pub leases: u64,
    /// Of those leases, how many counted as crashes.
    pub crashes: u64,
    /// Waiting jobs past their deadline.
    pub expired: u64,
    /// Old records removed.
    pub purged: u64,
    /// Whether a gap holds the reaper back.
    pub gap: bool,
}

/// What Redis says of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// The job is now in this state.
    Accepted(String),
    /// Another token holds the job, or none does.
    Stale,
    /// A flight to wait for is no longer in the air: go on.
    GoOn,
}

impl Reaped {
    /// Reads the answer of `lua/reap.lua`.
    pub(crate) fn from_numbers(numbers: &Numbers) -> Result<Self, QueueError> {
        let count = |name| numbers.count("reap", name);
        Ok(Self {
            leases: count("leases")?,
            crashes: count("crashes")?,
            expired: count("expired")?,
            purged: count("purged")?,
            gap: count("gap")? == 1,
        })
    }
}

impl Reported {
    /// Reads the answer of `lua/report.lua`.
    pub(crate) fn from_words((word, state): (String, String)) -> Result<Self, QueueError> {
        match word.as_str() {
            "accepted" => Ok(Self::Accepted(state)),
            "stale" => Ok(Self::Stale),
            "go-on" => Ok(Self::GoOn),
            _ => Err(QueueError::Protocol { script: "report", answer: word }),
        }
    }
}

pub(crate) fn understand_claim(answer: &[Value]) -> Result<Claim, QueueError> {
    let unexpected =
        || QueueError::Protocol { script: "claim", answer: format!("{} values", answer.len()) };
    let bytes = |at: usize| {
        Vec::<u8>::from_redis_value(answer.get(at).ok_or_else(unexpected)?.clone())
            .map_err(|e| QueueError::Redis(e.into()))
    };
    // Any client may have written the fields: what is no UTF-8 must not stop every claim after it.
    let text = |at: usize| Ok::<_, QueueError>(String::from_utf8_lossy(&bytes(at)?).into_owned());
    let number = |at: usize| {
        i64::from_redis_value(answer.get(at).ok_or_else(unexpected)?.clone())
            .map_err(|e| QueueError::Redis(e.into()))
    };
    let span = |ms: i64| u64::try_from(ms).ok().map(Duration::from_millis);
    let why = match text(0)?.as_str() {
        "job" => {
            let body = bytes(3)?;
            let pairs: Result<Vec<String>, _> = (6..answer.len()).map(text).collect();
            let hash =
                pairs?.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
            let remaining = span(number(4)?).unwrap_or_default();
            let job = ClaimedJob { id: text(1)?, token: text(2)?, body, remaining, hash };
            return Ok(Claim::Job(Box::new(job)));
        }
        "empty" => Idle::Empty,
        "paused" => Idle::Paused,
        "hold" => Idle::Hold,
        _ => return Err(unexpected()),
    };
    Ok(Claim::Nothing { why, next_due: span(number(1)?) })
}
