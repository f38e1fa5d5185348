//! A request to the cache goes in; what became of it comes out, for whoever counts.

use std::sync::Arc;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheEvent {
    /// It gave the value.
    Hit,
    /// It had none.
    Miss,
    /// It took a value.
    Stored,
    /// It had a value already.
    Present,
    /// Its server is too full.
    Full,
    /// It did not answer, or not sensibly.
    Failed,
}

impl CacheEvent {
    /// The event's one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stored => "stored",
            Self::Present => "present",
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }
}

/// Hears what becomes of each request.
pub type Hear = Arc<dyn Fn(CacheEvent) + Send + Sync>;
