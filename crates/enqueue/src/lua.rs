//! The scripts that producers and workers share.

/// What every verb of the queue shares; goes in front of each of them.
pub const PREAMBLE: &str = include_str!("../lua/preamble.lua");
/// The transition *cancel*: a person ends a job.
pub const CANCEL: &str = include_str!("../lua/cancel.lua");
