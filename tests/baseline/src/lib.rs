//! What both columns are asked to do: errands go in, by whichever queue.

use serde::{Deserialize, Serialize};
use tests::script::Script;

/// One job, by a name that its journal keeps, with what its handler shall do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Errand {
    /// Names it in the journal.
    pub id: String,
    /// What its handler does.
    pub script: Script,
}

impl Errand {
    /// Errands `<name>-0`, `<name>-1`, … that all do the same.
    #[must_use]
    pub fn many(name: &str, number: usize, script: &Script) -> Vec<Self> {
        (0..number).map(|at| Self { id: format!("{name}-{at}"), script: script.clone() }).collect()
    }
}
