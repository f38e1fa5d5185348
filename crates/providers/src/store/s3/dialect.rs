//! What a store does not know is found out once, and done without as long as the process lives.

use std::sync::atomic::{AtomicBool, Ordering};

/// What was found out about a store, for as long as the process lives.
#[derive(Debug, Default)]
pub(super) struct Dialect {
    /// It answers 501 to `If-None-Match`: whether a key exists is asked before a put.
    knows_no_conditions: AtomicBool,
}

impl Dialect {
    /// The value of `If-None-Match`, where the store knows it.
    pub(super) fn unless_there(&self) -> Option<String> {
        (!self.knows_no_conditions.load(Ordering::Relaxed)).then(|| "*".to_owned())
    }

    /// What the store does not know, for people.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        self.unless_there().is_none().then_some(
            "it knows no If-None-Match, so that of two writers of one key the last one wins",
        )
    }

    pub(super) fn do_without_conditions(&self) {
        if !self.knows_no_conditions.swap(true, Ordering::Relaxed) {
            tracing::warn!("the store does without If-None-Match: {}", self.lacks().unwrap_or(""));
        }
    }
}
