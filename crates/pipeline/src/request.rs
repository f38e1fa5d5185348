//! What goes into one attempt of a job, and what comes out of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use stillcast_enqueue::{Artifact, Cost, Format, JobId, Options, Source, StageRecord};
use tokio_util::sync::CancellationToken;

use crate::sound::Loudness;
use crate::{
    Budget, CallObserver, Gate, Memory, Policies, Progress, Pronunciation, Providers, RateLimiter,
    Slots,
};

/// What shall be produced.
#[derive(Clone, Debug)]
pub struct Request {
    /// The job.
    pub job: JobId,
    /// Whose job it is.
    pub tenant: String,
    /// What it is about.
    pub source: Source,
    /// What the file is.
    pub format: Format,
    /// How it should sound.
    pub options: Options,
}

/// Everything that one attempt of a job needs.
pub struct Run {
    /// What shall be produced.
    pub request: Request,
    /// How loud the file is.
    pub loudness: Loudness,
    /// How words are said.
    pub pronunciation: Arc<Pronunciation>,
    /// The policy table.
    pub policies: Arc<Policies>,
    /// The outside.
    pub providers: Providers,
    /// What it remembers, and shares.
    pub memory: Memory,
    /// The process's slots.
    pub slots: Arc<Slots>,
    /// Keeps what tenants may spend; `None` for nobody.
    pub budget: Option<Arc<dyn Budget>>,
    /// Keeps the limits of providers' accounts; `None` for nobody.
    pub limiter: Option<Arc<dyn RateLimiter>>,
    /// A folder of this attempt alone; the caller removes it.
    pub scratch: PathBuf,
    /// Says whether a call may begin.
    pub gate: Arc<dyn Gate>,
    /// Hears how far it has come.
    pub progress: Arc<dyn Progress>,
    /// Hears of every call; [`crate::Unobserved`] for nobody.
    pub observer: Arc<dyn CallObserver>,
    /// Cancelled, it drops everything in flight.
    pub cancel: CancellationToken,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("request", &self.request).finish_non_exhaustive()
    }
}

/// A delivered file, and what its stages did.
#[derive(Clone, Debug, PartialEq)]
pub struct Produced {
    /// The file.
    pub artifact: Artifact,
    /// The account of each stage, in travel order.
    pub stages: Vec<StageRecord>,
    /// What this attempt has cost.
    pub cost: Cost,
}
