//! Why does a job not run? What the queue knows at one moment goes in; one reason, its sentence and its
//! cure come out.

mod facts;
mod judge;
mod reason;
mod words;

pub(crate) use self::facts::Worker;
pub use self::judge::Why;
pub use self::reason::WaitingReason;
