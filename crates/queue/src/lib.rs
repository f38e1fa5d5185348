//! The other end of the queue: claim, lease, renew, report, reap, look and mend.
//!
//! A worker gives [`Consumer::run`] a [`Handler`]; each attempt gets a [`Lease`] and answers with an
//! [`Outcome`]. This is the only crate that knows apalis.

mod answers;
mod attempt;
mod backend;
mod claiming;
mod clock;
mod connection;
mod consumer;
mod error;
mod event;
mod health;
mod inspect;
mod lease;
mod leases;
mod limits;
mod outcome;
mod owned;
mod renewal;
mod scripts;
mod trash;
mod verify;
mod wake;

pub use answers::{Claim, ClaimedJob, Idle, Reaped, Reported};
pub use connection::{Endpoint, ServerReport};
pub use consumer::{Consumer, ConsumerOptions, Handler, Shutdown, Stopped};
pub use error::QueueError;
pub use event::{Event, Observer};
pub use health::Health;
pub use inspect::{
    Announcement, Announcements, Cursor, Inspector, MAX_PAGE, Page, PurgeAnswer, QueueStats,
    ReplayAnswer, StateCounts,
};
pub use lease::{FlightAnswer, Interrupted, Landing, Lease};
pub use limits::Limits;
pub use outcome::{Outcome, ParkReason, Report};
pub use scripts::{Clock, Scripts, Verb};
pub use trash::{Trash, WorkFolder};
pub use verify::{Verified, Violation, verify};
