//! `OUTBOX` and `OUTBOX_KEEP` go in; whether a program hands jobs over that applications write into the
//! database comes out. Every program that may has them, under these names.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::reader::Reader;

/// For how long rows may be kept: longer than the queue remembers.
const KEEP: RangeInclusive<Duration> = Duration::from_hours(48)..=Duration::from_hours(3650 * 24);

/// Whether jobs are handed over, and for how long it is known that they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxConfig {
    /// Whether this program hands them over.
    pub relays: bool,
    /// For how long rows of ended jobs are kept.
    pub keep: Duration,
}

impl OutboxConfig {
    /// Reads the section; `None` where something is at fault.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let relays = reader.flag("outbox");
        let keep = reader.duration("outbox_keep", KEEP);
        Some(Self { relays: relays?, keep: keep? })
    }
}
