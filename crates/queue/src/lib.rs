//! The other end of the queue: claim, lease, renew, report, reap, look and mend.
//!
//! A worker gives [`Consumer::run`] a [`Handler`]; each attempt gets a [`Lease`] and answers with an
//! [`Outcome`]. This is the only crate that knows apalis.

mod attempt;
mod backend;
mod clock;
mod connection;
mod consumer;
mod error;
mod inspect;
mod lease;
mod leases;
mod outcome;
mod owned;
mod renewal;
mod scripts;
mod verify;
mod wake;

pub use connection::{Endpoint, ServerReport};
pub use consumer::{
    Consumer, ConsumerOptions, Event, Handler, Health, Observer, Shutdown, Stopped,
};
pub use error::QueueError;
pub use lease::{FlightAnswer, Interrupted, Landing, Lease};
pub use outcome::{Outcome, ParkReason, Report};
pub use scripts::{Claim, ClaimedJob, Clock, Idle, Limits, Reaped, Reported, Scripts, Verb};
pub use verify::{Verified, Violation, verify};
