//! Checkpoints and words of one lease go in; what Redis has not confirmed of them comes out.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What this lease has remembered.
#[derive(Default)]
pub(super) struct Written(Mutex<State>);

#[derive(Default)]
struct State {
    /// Every digest, the first of each name: the attempt may begin again under the same lease.
    digests: HashMap<String, String>,
    unconfirmed: Unconfirmed,
}

/// What Redis may not know yet: the report carries it out first.
#[derive(Clone, Default)]
pub(super) struct Unconfirmed {
    /// Names and digests.
    pub(super) digests: Vec<(String, String)>,
    /// The words said until now.
    pub(super) words: Option<String>,
}

impl Written {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `(name, digest)` pairs. The first digest of a name stands, as it does in Redis.
    pub(super) fn add(&self, digests: &[(&str, &str)]) {
        let mut state = self.state();
        for (name, digest) in digests {
            let (name, digest) = ((*name).to_owned(), (*digest).to_owned());
            state.unconfirmed.digests.push((name.clone(), digest.clone()));
            state.digests.entry(name).or_insert(digest);
        }
    }

    pub(super) fn digest(&self, name: &str) -> Option<String> {
        self.state().digests.get(name).cloned()
    }

    pub(super) fn words(&self) -> Option<String> {
        self.state().unconfirmed.words.clone()
    }

    pub(super) fn replace_words(&self, words: String) {
        self.state().unconfirmed.words = Some(words);
    }

    /// `None` when Redis knows everything.
    pub(super) fn unconfirmed(&self) -> Option<Unconfirmed> {
        let unconfirmed = self.state().unconfirmed.clone();
        let is_empty = unconfirmed.digests.is_empty() && unconfirmed.words.is_none();
        (!is_empty).then_some(unconfirmed)
    }

    /// Redis knows all of `sent`. What was added since stays; words that were replaced since, too.
    pub(super) fn confirm(&self, sent: &Unconfirmed) {
        let unconfirmed = &mut self.state().unconfirmed;
        // The first writer wins, so a batch that was written twice is no harm.
        unconfirmed.digests.retain(|entry| !sent.digests.contains(entry));
        if unconfirmed.words == sent.words {
            unconfirmed.words = None;
        }
    }
}
