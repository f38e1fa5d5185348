//! What the scripts answer, in types.

use std::collections::HashMap;
use std::time::Duration;

use redis::{FromRedisValue, Value};

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
pub(crate) fn understand_claims(answer: &[Value]) -> Result<Claims, QueueError> {
    let values = ClaimValues(answer);
    let why = match values.text(0)?.as_str() {
        "jobs" => {
            let jobs = answer.iter().skip(2).map(|job| ClaimValues::of(job)?.job());
            return Ok(Claims::Jobs(jobs.collect::<Result<_, _>>()?));
        }
        "empty" => Idle::Empty,
        "paused" => Idle::Paused,
        _ => return Err(values.unexpected()),
    };
    Ok(Claims::Nothing { why, next_due: values.span(1)? })
}

/// The values that a claim answers, by place.
struct ClaimValues<'answer>(&'answer [Value]);

impl<'answer> ClaimValues<'answer> {
    fn of(list: &'answer Value) -> Result<Self, QueueError> {
        match list {
            Value::Array(values) => Ok(Self(values)),
            _ => Err(Self(&[]).unexpected()),
        }
    }

    fn job(&self) -> Result<ClaimedJob, QueueError> {
        let hash = Self::of(self.0.get(4).ok_or_else(|| self.unexpected())?)?;
        let texts = (0..hash.0.len()).map(|at| hash.text(at)).collect::<Result<Vec<_>, _>>()?;
        let (pairs, _) = texts.as_chunks::<2>();
        Ok(ClaimedJob {
            id: self.text(0)?,
            token: self.text(1)?,
            body: self.bytes(2)?,
            remaining: self.span(3)?.unwrap_or_default(),
            hash: pairs.iter().cloned().map(|[name, value]| (name, value)).collect(),
        })
    }

    /// Any client may have written the fields of a job: what is no UTF-8 must not stop every claim
    /// after it.
    fn text(&self, at: usize) -> Result<String, QueueError> {
        Ok(String::from_utf8_lossy(&self.bytes(at)?).into_owned())
    }

    fn bytes(&self, at: usize) -> Result<Vec<u8>, QueueError> {
        self.read(at)
    }

    /// Milliseconds; nothing when they are negative.
    fn span(&self, at: usize) -> Result<Option<Duration>, QueueError> {
        let ms: i64 = self.read(at)?;
        Ok(u64::try_from(ms).ok().map(Duration::from_millis))
    }

    fn read<T: FromRedisValue>(&self, at: usize) -> Result<T, QueueError> {
        let value = self.0.get(at).ok_or_else(|| self.unexpected())?;
        T::from_redis_value(value.clone()).map_err(|error| QueueError::Redis(error.into()))
    }

    fn unexpected(&self) -> QueueError {
        QueueError::Protocol { script: "claim", answer: format!("{} values", self.0.len()) }
    }
}
