//! Why a job does not run, as anyone may read it beside its record.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::StageName;

/// Why a job that has not ended does not run: one sentence, and what to do.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// A stable word for programs, such as `paused`.
    pub code: String,
    /// A sentence for people.
    pub sentence: String,
    /// What to do about it, if anything.
    pub cure: String,
    /// Since when that is so.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
    /// When it will be over, or is looked at again, at the latest.
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
    /// Jobs that are to be claimed before it.
    #[serde(default)]
    pub ahead: Option<u64>,
    /// Slots of the workers that could take it.
    #[serde(default)]
    pub slots: Option<u64>,
    /// The stage that failed or is refused.
    #[serde(default)]
    pub stage: Option<StageName>,
    /// Its provider.
    #[serde(default)]
    pub provider: Option<String>,
    /// Jobs of the same tenant that it waits for.
    #[serde(default)]
    pub jobs: Vec<String>,
}
