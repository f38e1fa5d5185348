//! All that a server of the API needs to know of its queue, its store and its callers.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use providers::store::Store;
use queue::Inspector;
use stillcast_enqueue::Producer;

use crate::alerts::Teller;
use crate::tokens::Tokens;

/// What the API serves, and to whom.
pub struct ApiOptions {
    /// The queue, looked at and mended.
    pub inspector: Inspector,
    /// The door into it.
    pub producer: Producer,
    /// Where the workers put files; without it, files and purges are refused.
    pub store: Option<Arc<dyn Store>>,
    /// Who may ask; without any, only this machine.
    pub tokens: Tokens,
    /// Requests of one token in a minute, all at once if they like; `None` for as many as they like.
    pub requests_per_minute: Option<NonZeroU32>,
    /// How long a job may wait for a slot, by which the demand of workers is told.
    pub backlog_target: Duration,
    /// Who is told of alerts; without it, nobody watches for them here.
    pub teller: Option<Arc<dyn Teller>>,
}
