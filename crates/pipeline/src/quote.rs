//! What is missing goes in, each with its price; what all of it costs comes out, each once.

use std::collections::BTreeMap;

/// What nobody has bought yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quote {
    /// US dollars by the name in the cache.
    missing: BTreeMap<String, f64>,
}

impl Quote {
    /// Adds what costs `usd` at most, as far as that is known beforehand.
    pub(crate) fn add(&mut self, name: impl Into<String>, usd: f64) {
        self.missing.insert(name.into(), usd);
    }

    /// The two together: what is in both is bought once.
    pub fn merge(&mut self, other: Self) {
        self.missing.extend(other.missing);
    }

    /// Whether nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
    }

    /// What it costs at most if no try fails, in US dollars.
    pub fn usd(&self) -> f64 {
        self.missing.values().sum()
    }
}
