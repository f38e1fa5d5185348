//! What passes on the wire goes in; whoever counts hears of it. No text, no key and no address is in it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::account::Capability;
use super::rate_limits::RateLimits;

/// Something that a vendor's server has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireEvent<'event> {
    /// What was asked for.
    pub capability: Capability,
    /// Who was asked, by the vendor's name in records.
    pub provider: &'static str,
    /// The model that was asked.
    pub model: &'event str,
    /// What happened.
    pub what: WireFact,
}

/// What a server has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFact {
    /// The head of an answer came, with this status; `None` where no answer came at all.
    Answered(Option<u16>),
    /// The first words of an answer came so long after the question.
    FirstChunk(Duration),
    /// More words came so long after the ones before.
    NextChunk(Duration),
    /// The server has told of the account's limits.
    Limited(RateLimits),
}

type Hearing = dyn Fn(&WireEvent<'_>) + Send + Sync;

/// Hears what passes; at first nobody does. Must neither block nor wait.
#[derive(Clone, Default)]
pub struct Ear(Option<Arc<Hearing>>);

impl Ear {
    /// Whoever hears by `hear`.
    pub fn new(hear: impl Fn(&WireEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hear)))
    }

    pub(super) fn tell(&self, event: &WireEvent<'_>) {
        if let Some(hear) = &self.0 {
            hear(event);
        }
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ear").field(&self.0.is_some()).finish()
    }
}
