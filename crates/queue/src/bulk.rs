//! One wish for many jobs: what is wished, by whom, and how far it is.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::audit::Actor;

/// What is wished of each job.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BulkAction {
    /// To end it.
    Cancel,
    /// To send it round again, if it is dead.
    Replay,
    /// To remove it, if it has ended.
    Purge,
}

/// Where a bulk action stands.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BulkState {
    /// Its jobs are looked for; none of them has had it yet.
    Gathering,
    /// Its jobs have it, one after the other.
    Running,
    /// Each of its jobs has had it.
    Done,
    /// A person has stopped it; some of its jobs may have had it.
    Stopped,
}

/// What somebody wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOrder {
    /// Names it; beginning it again changes nothing.
    pub id: String,
    /// What is wished.
    pub action: BulkAction,
    /// Of which jobs, in the language of whoever gathers them; at most 8 KiB.
    pub filter: String,
    /// Of whose jobs alone; `None` for all.
    pub tenant: Option<String>,
    /// Who wishes it, and why.
    pub actor: Actor,
    /// When it was planned: later jobs are not meant.
    pub planned_at: DateTime<Utc>,
}

/// What is known of a bulk action.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRecord {
    /// Its identifier.
    pub id: String,
    /// What is wished.
    pub action: BulkAction,
    /// Of which jobs.
    pub filter: String,
    /// Of whose jobs alone; null for all.
    pub tenant: Option<String>,
    /// Who wished it: the name of a token.
    pub by: String,
    /// Where it stands.
    pub state: BulkState,
    /// How many jobs it has; null while they are gathered.
    pub total: Option<u64>,
    /// How many have had it.
    pub granted: u64,
    /// How many could not have it, by the reason: `already` ended, `not-dead`, `body-gone`,
    /// `duplicate` (its key belongs to another job), `not-ended`, `files` (they could not be removed),
    /// `unknown`.
    pub refused: BTreeMap<String, u64>,
    /// When it was planned: later jobs are not meant.
    pub planned_at: Option<DateTime<Utc>>,
    /// When it began.
    pub begun_at: Option<DateTime<Utc>>,
    /// When it was done or stopped; it is kept for seven days after that.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What became of a call for a bulk action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkAnswer {
    /// It is in this state.
    Is(BulkState),
    /// Another server is at work on it.
    Held,
    /// There is none of this identifier.
    Unknown,
}

impl BulkAction {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Replay => "replay",
            Self::Purge => "purge",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Cancel, Self::Replay, Self::Purge].into_iter().find(|it| it.as_str() == word)
    }
}

impl BulkState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gathering => "gathering",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// Whether nothing happens any more.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Stopped)
    }

    fn parse(word: &str) -> Option<Self> {
        let all = [Self::Gathering, Self::Running, Self::Done, Self::Stopped];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

impl BulkAnswer {
    /// The word of the scripts.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "held" => Some(Self::Held),
            "unknown" => Some(Self::Unknown),
            word => BulkState::parse(word).map(Self::Is),
        }
    }
}

impl BulkRecord {
    /// Reads the fields of its hash; `None` when there is none.
    pub(crate) fn of(id: &str, hash: &HashMap<String, String>) -> Option<Self> {
        let number = |field: &str| hash.get(field).and_then(|text| text.parse::<u64>().ok());
        let time = |field: &str| {
            let ms = hash.get(field)?.parse().ok()?;
            DateTime::from_timestamp_millis(ms)
        };
        let refused = hash.iter().filter_map(|(field, text)| {
            Some((field.strip_prefix("refused:")?.to_owned(), text.parse().ok()?))
        });
        Some(Self {
            id: id.to_owned(),
            action: BulkAction::parse(hash.get("action")?)?,
            filter: hash.get("filter").cloned().unwrap_or_default(),
            tenant: hash.get("tenant").filter(|tenant| !tenant.is_empty()).cloned(),
            by: hash.get("by").cloned().unwrap_or_default(),
            state: BulkState::parse(hash.get("state")?)?,
            total: number("total"),
            granted: number("granted").unwrap_or(0),
            refused: refused.collect(),
            planned_at: time("planned_ms"),
            begun_at: time("begun_ms"),
            ended_at: time("ended_ms"),
        })
    }
}
