//! The numbers that bound a job's troubles, a worker's, and the archives.

use std::time::Duration;

/// The numbers that end a job which makes no progress, that empty the archives, and that hold a
/// refused worker back.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Crashes since the last checkpoint at which a job is dead when its worker has seen it; 3 by default.
    pub crashes: u32,
    /// The same when a worker died, which may be anybody's doing; 6 by default.
    pub worker_deaths: u32,
    /// Interruptions since the last checkpoint at which a job is dead; 20 by default.
    pub interruptions: u32,
    /// How long done, cancelled and expired records live; 24 h by default.
    pub records_live: Duration,
    /// How many of each live at most; 100,000 by default.
    pub max_records: u32,
    /// How long dead records live; 90 days by default.
    pub dead_live: Duration,
    /// How many of them live at most; 10,000 by default.
    pub max_dead: u32,
    /// Between two probes of a provider that refuses this worker; 30 s by default.
    pub probe_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            crashes: 3,
            worker_deaths: 6,
            interruptions: 20,
            records_live: Duration::from_hours(24),
            max_records: 100_000,
            dead_live: Duration::from_hours(24 * 90),
            max_dead: 10_000,
            probe_interval: Duration::from_secs(30),
        }
    }
}
