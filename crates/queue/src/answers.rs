//! What the scripts answer, in types.

use std::collections::HashMap;
use std::time::Duration;

use redis::Value;

use crate::QueueError;
use crate::numbers::Numbers;

/// What a claim for several slots found.
#[derive(Debug)]
pub enum Claims {
    /// Jobs, now leased: at least one, and at most one a slot.
    Jobs(Vec<ClaimedJob>),
    /// Nothing may be claimed now; look again after so long, if something is due then.
    Nothing {
        /// Why.
        why: Idle,
        /// Until something that waits becomes due.
        next_due: Option<Duration>,
    },
}

/// What a claim for one slot found.
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
    /// Fields of the job's hash as they stood before: what a claim answers of one that was never leased, and
    /// all of another one.
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
    /// Whether there was more than one script may touch: the next call goes on where this one ended.
    pub more: bool,
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
            more: count("more")? == 1,
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

/// Reads the answer of `lua/claim.lua`.
pub(crate) fn understand_claims(answer: Vec<Value>) -> Result<Claims, QueueError> {
    let mut values = ClaimValues(answer.into_iter());
    let (word, next_due) = (values.text()?, values.span()?);
    let why = match word.as_str() {
        "jobs" => {
            let jobs = values.0.map(|job| ClaimValues::of(job)?.job());
            return Ok(Claims::Jobs(jobs.collect::<Result<_, _>>()?));
        }
        "empty" => Idle::Empty,
        "paused" => Idle::Paused,
        _ => return Err(unexpected(&word)),
    };
    Ok(Claims::Nothing { why, next_due })
}

/// The values that a claim answers, one after the other.
struct ClaimValues(std::vec::IntoIter<Value>);

impl ClaimValues {
    fn of(list: Value) -> Result<Self, QueueError> {
        match list {
            Value::Array(values) => Ok(Self(values.into_iter())),
            other => Err(unexpected(kind_of(&other))),
        }
    }

    fn job(mut self) -> Result<ClaimedJob, QueueError> {
        let (id, token) = (self.text()?, self.text()?);
        let (body, remaining) = (self.bytes()?, self.span()?.unwrap_or_default());
        let mut pairs = Self::of(self.next()?)?;
        let mut hash = HashMap::with_capacity(pairs.0.len() / 2);
        while pairs.0.len() > 1 {
            hash.insert(pairs.text()?, pairs.text()?);
        }
        Ok(ClaimedJob { id, token, body, remaining, hash })
    }

    fn next(&mut self) -> Result<Value, QueueError> {
        self.0.next().ok_or_else(|| unexpected("too few values"))
    }

    /// Any client may have written the fields of a job: what is no UTF-8 must not stop every claim
    /// after it.
    fn text(&mut self) -> Result<String, QueueError> {
        let text = String::from_utf8(self.bytes()?);
        Ok(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn bytes(&mut self) -> Result<Vec<u8>, QueueError> {
        match self.next()? {
            Value::BulkString(bytes) => Ok(bytes),
            Value::SimpleString(text) => Ok(text.into_bytes()),
            other => Err(unexpected(kind_of(&other))),
        }
    }

    /// Milliseconds; nothing when they are negative.
    fn span(&mut self) -> Result<Option<Duration>, QueueError> {
        match self.next()? {
            Value::Int(ms) => Ok(u64::try_from(ms).ok().map(Duration::from_millis)),
            other => Err(unexpected(kind_of(&other))),
        }
    }
}

/// Never the value itself: it may be somebody's words.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::Array(_) => "a list",
        Value::BulkString(_) | Value::SimpleString(_) => "a text",
        _ => "a value of another kind",
    }
}

fn unexpected(what: &str) -> QueueError {
    QueueError::Protocol { script: "claim", answer: what.to_owned() }
}
