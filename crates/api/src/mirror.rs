//! What is searched of every job, in the memory of this process: a filter goes in, jobs come out,
//! without a question to Redis.
//!
//! One task fills it at a measured pace and then reads each job that was heard to change. What is
//! heard is a hint that may be lost, so that all of it is compared with the queue each minute, and at
//! once after an outage. Writing to the queue costs nothing more for it.

mod follow;
mod known;
mod search;
mod shelf;

pub(crate) use self::known::{Freshness, Mirror, ROOM};
pub(crate) use self::search::Found;
pub(crate) use self::shelf::Place;
