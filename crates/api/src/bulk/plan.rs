//! A plan: what somebody was shown before they agree to it. It goes out as signed text, and comes back
//! unchanged.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use queue::{Actor, BulkAction, BulkOrder};
use serde::{Deserialize, Serialize};
use stillcast_enqueue::Identifier;

use crate::caller::Caller;
use crate::filter::Filter;

/// How long somebody may think about it.
const PLAN_LIVES: TimeDelta = TimeDelta::minutes(15);

/// What is wished, and as of when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Of the bulk action that it becomes: the same, however often it is sent.
    pub(crate) id: String,
    pub(crate) action: BulkAction,
    pub(crate) filter: String,
    pub(crate) tenant: Option<String>,
    pub(crate) planned_at: DateTime<Utc>,
}

impl Plan {
    pub(crate) fn new(action: BulkAction, filter: &Filter, caller: &Caller) -> Self {
        Self {
            id: uuid::Uuid::now_v7().to_string(),
            action,
            filter: filter.to_string(),
            tenant: caller.tenant.as_ref().map(ToString::to_string),
            planned_at: Utc::now(),
        }
    }

    pub(crate) fn expires_at(&self) -> DateTime<Utc> {
        self.planned_at + PLAN_LIVES
    }

    /// Whether it was made for whoever sends it.
    pub(crate) fn is_of(&self, caller: &Caller) -> bool {
        self.tenant.as_deref() == caller.tenant.as_ref().map(Identifier::as_str)
    }

    pub(crate) fn order(&self, actor: Actor) -> BulkOrder {
        BulkOrder {
            id: self.id.clone(),
            action: self.action,
            filter: self.filter.clone(),
            tenant: self.tenant.clone(),
            actor,
            planned_at: self.planned_at,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Plan {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}
