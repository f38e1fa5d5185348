//! What a job of the six-call handler shall do; it travels as the job's source text.

use serde::{Deserialize, Serialize};
use stillcast_enqueue::{Job, Source};

/// One job's part in a fault test. Call numbers count from 1; 0 means never.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Script {
    /// Paid calls to make.
    pub calls: u32,
    /// Length of each, in ms.
    pub ms: u64,
    /// The call in which the process aborts.
    pub abort_at: u32,
    /// The call in which the handler panics.
    pub panic_at: u32,
    /// The call that never ends.
    pub hang_at: u32,
    /// The call that blocks every thread of the runtime.
    pub block_at: u32,
    /// The call that takes all the memory that it gets.
    pub eat_at: u32,
    /// The call whose provider fails with a transient error, each time.
    pub fail_at: u32,
    /// Make every call under the flight of this name: jobs that share it pay once.
    pub flight: String,
    /// Calls from one checkpoint to the next: between them, only the clock says that a lease is over.
    pub checkpoint_every: u32,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            calls: 6,
            ms: 100,
            abort_at: 0,
            panic_at: 0,
            hang_at: 0,
            block_at: 0,
            eat_at: 0,
            fail_at: 0,
            flight: String::new(),
            checkpoint_every: 1,
        }
    }
}

impl Script {
    /// Six calls of `ms` each.
    #[must_use]
    pub fn of(ms: u64) -> Self {
        Self { ms, ..Self::default() }
    }

    /// A job that carries this script.
    #[must_use]
    pub fn job(&self) -> Job {
        let text = serde_json::to_string(self).expect("a script is plain data");
        Job::audio(Source::Text(text))
    }
}
