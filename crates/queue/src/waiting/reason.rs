//! Each reason for which a job does not run.

use chrono::{DateTime, Utc};
use stillcast_enqueue::{ErrorReport, StageName, State};

/// A moment by the clock of Redis.
type At = DateTime<Utc>;

/// Why a job does not run, or that it does: the first that holds, in the order of
/// [`judge`](super::judge).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingReason {
    /// It does not wait: a worker has it.
    Running {
        /// The worker.
        worker: String,
    },
    /// A worker had it, and its lease has run out.
    LeaseOver {
        /// The worker.
        worker: String,
        /// Until when nothing is reaped after an outage.
        gap_until: Option<At>,
    },
    /// It does not wait: it has ended.
    Ended {
        /// As what.
        state: State,
    },
    /// Its deadline has passed, and nobody has swept it yet.
    DeadlinePassed {
        /// When.
        deadline: At,
    },
    /// Its `run_at` has not come.
    Scheduled {
        /// That time.
        until: At,
    },
    /// An attempt has failed, and the next one is not due.
    Backoff {
        /// When it is.
        until: At,
        /// Attempts that have failed.
        attempts: u32,
        /// Attempts before the job is dead.
        max_attempts: u32,
        /// What has failed.
        error: Option<ErrorReport>,
    },
    /// The account or set-up of a provider refused it, or a worker lacked a part.
    Provider {
        /// When it is tried again, at the latest.
        until: At,
        /// Who refused what.
        error: Option<ErrorReport>,
    },
    /// A provider has asked to wait.
    Rate {
        /// For so long.
        until: At,
        /// Who.
        error: Option<ErrorReport>,
    },
    /// Its tenant may spend no more today.
    Budget {
        /// Until the next day begins; sooner, where the budget is raised.
        until: At,
        /// How much a day.
        error: Option<ErrorReport>,
    },
    /// Other jobs pay for what it wants.
    Flight {
        /// Those jobs; none once all of it is there, or has an heir.
        owners: Vec<String>,
        /// When it looks again, at the latest.
        until: At,
    },
    /// Its request is newer than the worker that met it.
    Version {
        /// When the next one may meet it.
        until: At,
    },
    /// Claims are stopped.
    Paused {
        /// Since when.
        since: At,
    },
    /// No worker has signed on.
    NoWorker,
    /// No worker that has signed on has been heard for half a lease.
    WorkersSilent {
        /// How many have signed on.
        workers: u64,
        /// When the last of them was heard.
        seen_at: Option<At>,
    },
    /// Every worker that is heard leaves.
    WorkersLeaving {
        /// How many.
        workers: u64,
    },
    /// Every worker that stays is refused by a provider, and claims nothing but probes.
    Refused {
        /// Where, when they know.
        stage: Option<StageName>,
        /// When the next probe may go.
        until: At,
    },
    /// Redis was away; until leases are reaped again, jobs of workers that are gone keep slots.
    Gap {
        /// Until when.
        until: At,
        /// Jobs that are to be claimed before it.
        ahead: u64,
    },
    /// Every slot is taken.
    SlotsTaken {
        /// How many there are.
        slots: u64,
        /// Jobs that are to be claimed before it.
        ahead: u64,
    },
    /// A slot is free, or somebody does not say: it is claimed in its turn.
    Turn {
        /// Jobs that are to be claimed before it.
        ahead: u64,
    },
}

impl WaitingReason {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::LeaseOver { .. } => "lease-over",
            Self::Ended { .. } => "ended",
            Self::DeadlinePassed { .. } => "deadline",
            Self::Scheduled { .. } => "run-at",
            Self::Backoff { .. } => "back-off",
            Self::Provider { .. } => "provider",
            Self::Rate { .. } => "rate",
            Self::Budget { .. } => "budget",
            Self::Flight { .. } => "flight",
            Self::Version { .. } => "version",
            Self::Paused { .. } => "paused",
            Self::NoWorker => "no-worker",
            Self::WorkersSilent { .. } => "workers-silent",
            Self::WorkersLeaving { .. } => "workers-leaving",
            Self::Refused { .. } => "refused",
            Self::Gap { .. } => "gap",
            Self::SlotsTaken { .. } => "slots",
            Self::Turn { .. } => "turn",
        }
    }

    /// Whether the job waits: it neither runs nor has ended.
    pub fn is_wait(&self) -> bool {
        !matches!(self, Self::Running { .. } | Self::Ended { .. })
    }
}
