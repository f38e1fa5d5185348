//! What the process of a suspect tells its worker: numbers and money, so that they are counted where
//! somebody scrapes, and booked where somebody reports.

use isolation::Teller;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stillcast_enqueue::Cost;
use telemetry::Counted;

/// One thing that is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Note {
    /// A metric.
    Counted(Counted),
    /// Counts for the queue's history.
    Tally(Vec<(String, u64)>),
    /// What the attempt has cost until now.
    Cost(Cost),
    /// What it has cost if its process dies now.
    Cut(Cost),
}

impl Note {
    /// What was told; `None` for what nobody here understands.
    pub(crate) fn read(told: Value) -> Option<Self> {
        serde_json::from_value(told).ok()
    }

    pub(crate) fn tell(&self, teller: &Teller) {
        // Plain data with names for keys always serializes.
        if let Ok(note) = serde_json::to_value(self) {
            teller.tell(note);
        }
    }
}

/// How a worker starts the process of a suspect, and what it tells it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// The worker's name: whatever the process writes is the worker's.
    pub(crate) worker: String,
    /// The folder of the attempt, which the worker removes.
    pub(crate) folder: std::path::PathBuf,
}
