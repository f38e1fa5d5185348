//! What people and programs do with a job, whatever they hold in their hands: an identifier goes in,
//! an answer without a word for a screen comes out.
//!
//! Cancel and replay are one script each, and stand at the [`Inspector`](crate::Inspector); here is
//! what takes more than one step.

mod purge;
mod watch;

pub use purge::{JobFiles, PurgeError, purge};
pub use watch::Watch;
