//! The queue under attack: processes are killed, stopped and cut off, and the journal is counted.
//!
//! L = 3 s, unless a test says otherwise. Tests wait for events; a pause is only ever the fault
//! itself (how long Redis is away, how long a process stands still), and the only times asserted
//! are the bounds of the contract, read from the journal and from Redis' clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bulk;
mod cancels;
mod clusters;
mod crashes;
mod doubles;
mod failovers;
mod fences;
mod flights;
mod outages;
mod poison;
mod replies;
mod sentinels;
mod signals;
mod soak;
mod support;
mod suspects;
mod verbs;
