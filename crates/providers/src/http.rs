//! A request goes out under an account; a bounded answer comes back, or a failure of the right class:
//! all that vendors over HTTP share.
//!
//! The connections with their time-outs, proxies and certificates, the waits that servers ask for,
//! what a status means, what a lost connection means, and how much of a body is read. The client
//! never tries again by itself and never follows a redirect, which would carry the key elsewhere;
//! nothing of a text or a key gets into an error.
//!
//! A vendor adds a file beside this one with what is its alone: a [`Vendor`], paths, bodies, prices;
//! a feature and a line in `lib.rs`; an arm in the worker's wiring and in its configuration.

mod account;
mod api_client;
mod complaint;
mod event;
mod judge;
mod known_fault;
mod link;
mod meaning;
mod origin;
mod parameter;
mod pool;
mod rate_limits;
mod refusal;
mod reply;
#[cfg(feature = "openai")]
mod socket;
#[cfg(test)]
pub(crate) mod tests;
mod vendor;

pub use account::{Account, Capability};
pub(crate) use api_client::ApiClient;
pub use event::{Ear, WireEvent, WireFact};
pub(crate) use known_fault::KnownFault;
pub(crate) use link::Links;
pub(crate) use meaning::Meaning;
pub(crate) use origin::booked;
pub(crate) use parameter::Parameter;
pub use pool::HttpClient;
pub use rate_limits::{RateLimit, RateLimits};
pub(crate) use reply::Reply;
#[cfg(feature = "openai")]
pub(crate) use socket::Socket;
pub(crate) use vendor::Vendor;
