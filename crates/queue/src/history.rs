//! What workers count goes into rings in Redis; what a queue did in the last hours or days comes out.
//!
//! `lua/tally.lua` keeps names and counts and knows none of their meanings: those stand in
//! [`names`], once for whoever writes and whoever reads.

mod buckets;
mod names;
mod packed;
mod series;
mod tally;

pub(crate) use self::buckets::Buckets;
pub(crate) use self::packed::Ring;
pub use self::series::{CacheUse, ErrorCount, History, JobsEnded, Slot, StageUse, Times};
pub(crate) use self::series::{Counts, assemble};
pub use self::tally::Tally;
