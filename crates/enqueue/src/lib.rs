//! The contract of Stillcast, and its producer: a job request goes in, a job identifier comes out.
//!
//! Without the default feature `redis` only the contract's types remain. The feature `tls` opens
//! `rediss://` addresses.
//!
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[cfg(feature = "redis")]
#[doc(hidden)]
pub mod address;
#[cfg(feature = "redis")]
mod answers;
mod aspect;
mod bed;
#[doc(hidden)]
pub mod capability;
#[cfg(feature = "redis")]
#[doc(hidden)]
pub mod connection;
mod container;
#[cfg(feature = "redis")]
#[doc(hidden)]
pub mod digest;
mod envelope;
mod error;
mod eta;
mod format;
#[cfg(test)]
mod fuzz;
mod identifier;
mod invalid;
mod job;
pub mod keys;
mod lexicon;
#[doc(hidden)]
pub mod lua;
mod packed;
#[cfg(feature = "redis")]
mod producer;
mod readable;
mod record;
mod request;
#[cfg(feature = "redis")]
#[doc(hidden)]
pub mod route;
#[cfg(feature = "redis")]
mod script;
#[cfg(feature = "redis")]
mod sentinel;
mod source;
mod stage;
mod validate;
mod waiting;
mod webhook;

#[cfg(feature = "redis")]
pub use answers::{CancelAnswer, Enqueued, Replication, Submission, Waited};
pub use aspect::Aspect;
pub use bed::Bed;
pub use container::Container;
pub use envelope::{DecodeError, ENVELOPE_VERSION, Envelope};
pub use error::EnqueueError;
pub use eta::Eta;
pub use format::Format;
pub use identifier::{Identifier, JobId};
pub use invalid::{InvalidField, InvalidJob, Problem};
pub use job::{Job, Options, TraceParent};
pub use lexicon::Lexicon;
#[cfg(feature = "redis")]
pub use producer::{Producer, ProducerOptions};
pub use readable::{Readable, has_visible, readable};
pub use record::{
    Artifact, Cost, ErrorReport, ExtraFile, JobRecord, LIVE_CHECKPOINT, RawHash, State,
};
pub use source::Source;
pub use stage::{StageName, StageRecord};
#[doc(hidden)]
pub use validate::{BED_LEVEL, DURATION, TAIL, VARIANT};
pub use waiting::Waiting;
pub use webhook::{WebhookAttempt, WebhookRecord, WebhookState, WebhookUrl};
