//! The numbers that bound a job's troubles and the archives.

use std::time::Duration;

/// The numbers that end a job which makes no progress, and that empty the archives.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Crashes since the last checkpoint at which a job is dead.
    pub crashes: u32,
    /// Interruptions since the last checkpoint at which a job is dead.
    pub interruptions: u32,
    /// How long done, cancelled and expired records live.
    pub records_live: Duration,
    /// How many of each live at most.
    pub most_records: u32,
    /// How long dead records live.
    pub dead_live: Duration,
    /// How many of them live at most.
    pub most_dead: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            crashes: 3,
            interruptions: 20,
            records_live: Duration::from_hours(24),
            most_records: 100_000,
            dead_live: Duration::from_hours(24 * 90),
            most_dead: 10_000,
        }
    }
}
