//! All that an attempt can say of itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use stillcast_enqueue::{Artifact, Cost, ErrorReport, StageRecord};

/// How an attempt ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// Delivered. Accepted whenever the lease still stands, whatever else was asked.
    Done {
        /// The delivered file.
        artifact: Box<Artifact>,
    },
    /// Failed; another attempt may succeed. Uses an attempt; dead when it was the last.
    Retry {
        /// Not before so long; `None` takes the back-off of the job's attempts.
        after: Option<Duration>,
        /// What happened.
        error: ErrorReport,
    },
    /// Waits for an event and frees the slot; uses no attempt.
    Park {
        /// For what.
        reason: ParkReason,
        /// At the latest so long.
        wake: Duration,
        /// What happened, when something did.
        error: Option<ErrorReport>,
    },
    /// Cannot succeed.
    Dead {
        /// What happened.
        error: ErrorReport,
    },
    /// Given back unfinished: the worker leaves, or the lease was lost.
    Release,
    /// The process of this attempt has died, as its worker has seen: a crash, as if the worker had died
    /// itself. Another attempt follows; dead when it was the third without a checkpoint.
    Crashed {
        /// How it died: what the record says when the job is dead. Its code is `crashed`.
        error: ErrorReport,
    },
}

/// What a parked job waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParkReason {
    /// The account or the set-up of a provider.
    Provider,
    /// A worker with a part that this one lacks; `provider` in the record, since an operator mends
    /// both alike. No refusal: the breaker stays as it is.
    Unequipped,
    /// A rate limit that lasts longer than a slot may wait.
    Rate,
    /// Its tenant's next day, or a higher budget.
    Budget,
    /// Other jobs that already pay for the same; by flight key, all of them.
    Flight(Vec<String>),
    /// A newer worker: the envelope is newer than this one reads.
    Version,
}

impl ParkReason {
    /// The word in the record.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Provider | Self::Unequipped => "provider",
            Self::Rate => "rate",
            Self::Budget => "budget",
            Self::Flight(_) => "flight",
            Self::Version => "version",
        }
    }
}

/// An outcome, and what stands beside it in the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// How the attempt ended.
    pub outcome: Outcome,
    /// What each stage did; `None` leaves the record's stages as they are.
    pub stages: Option<Vec<StageRecord>>,
    /// Money of all attempts; `None` is what was booked under the lease, or else leaves the record's
    /// cost as it is.
    pub cost: Option<Cost>,
}

impl Report {
    /// The same; where it parks for a refusal, at least for that long.
    #[must_use]
    pub(crate) fn parked_until(mut self, next_probe: Duration) -> Self {
        if let Outcome::Park { reason: ParkReason::Provider, wake, .. } = &mut self.outcome {
            *wake = next_probe.max(*wake);
        }
        self
    }
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, stages: None, cost: None }
    }
}

impl Outcome {
    /// The word in the script and in logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Retry { .. } => "retry",
            Self::Park { .. } => "park",
            Self::Dead { .. } => "dead",
            Self::Release => "release",
            Self::Crashed { .. } => "crash",
        }
    }

    /// How long the job waits: until the back-off is over, or until a parked one wakes.
    pub(crate) fn delay(&self, backoff: Duration) -> Duration {
        match self {
            Self::Retry { after, .. } => after.unwrap_or(backoff),
            Self::Park { wake, .. } => *wake,
            Self::Done { .. } | Self::Dead { .. } | Self::Release | Self::Crashed { .. } => {
                Duration::ZERO
            }
        }
    }

    pub(crate) fn error(&self) -> Option<&ErrorReport> {
        match self {
            Self::Retry { error, .. } | Self::Dead { error } | Self::Crashed { error } => {
                Some(error)
            }
            Self::Park { error, .. } => error.as_ref(),
            Self::Done { .. } | Self::Release => None,
        }
    }

    pub(crate) fn artifact(&self) -> Option<&Artifact> {
        if let Self::Done { artifact } = self { Some(artifact) } else { None }
    }

    /// The word in the record; empty unless it parks.
    pub(crate) fn park_reason(&self) -> &'static str {
        if let Self::Park { reason, .. } = self { reason.as_str() } else { "" }
    }

    /// The flights that a parked job waits for.
    pub(crate) fn flights(&self) -> &[String] {
        match self {
            Self::Park { reason: ParkReason::Flight(keys), .. } => keys,
            _ => &[],
        }
    }
}
