//! The numbers that bound a job's troubles, a worker's, and the archives.

use std::time::Duration;

/// The numbers that end a job which makes no progress, that empty the archives, and that hold a
/// refused worker back.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Crashes since the last checkpoint at which a job is dead.
    pub crashes: u32,
    /// Interruptions since the last checkpoint at which a job is dead.
    pub interruptions: u32,
    /// How long done, cancelled and expired records live.
    pub records_live: Duration,
    /// How many of each live at most.
    pub max_records: u32,
    /// How long dead records live.
    pub dead_live: Duration,
    /// How many of them live at most.
    pub max_dead: u32,
    /// Between two probes of a provider that refuses this worker.
    pub probe_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            crashes: 3,
            interruptions: 20,
            records_live: Duration::from_hours(24),
            max_records: 100_000,
            dead_live: Duration::from_hours(24 * 90),
            max_dead: 10_000,
            probe_interval: Duration::from_secs(30),
        }
    }
}
