//! A bearer's key goes in; whether it may buy now, or the status that refuses it, comes out.

use std::collections::BTreeMap;
use std::time::Instant;

use super::faults::Fault;

/// The keys that the provider knows.
#[derive(Clone, Debug, Default)]
pub struct Keys(BTreeMap<String, Key>);

/// One key's rights; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct Key {
    is_revoked: bool,
    calls_per_minute: Option<f64>,
    /// US dollars left.
    budget_usd: Option<f64>,
    /// Calls that may be made at once, and since when.
    bucket: Option<(f64, Instant)>,
}

impl Keys {
    /// Adds a key.
    #[must_use]
    pub fn with(mut self, key: &str, rights: Key) -> Self {
        self.0.insert(key.to_owned(), rights);
        self
    }

    pub(super) fn set_revoked(&mut self, key: &str, is_revoked: bool) {
        self.0.entry(key.to_owned()).or_default().is_revoked = is_revoked;
    }

    /// The refusal of a call under `key`, if any.
    pub(super) fn refusal(&mut self, key: &str) -> Option<Fault> {
        if self.0.is_empty() {
            return None;
        }
        let Some(key) = self.0.get_mut(key).filter(|key| !key.is_revoked) else {
            return Some(Fault::status(401, "invalid_api_key"));
        };
        if key.budget_usd.is_some_and(|left| left <= 0.0) {
            return Some(Fault::status(429, "insufficient_quota"));
        }
        key.take_call()
    }

    /// Takes the price off the key's budget.
    pub(super) fn spend(&mut self, key: &str, usd: f64) {
        if let Some(left) = self.0.get_mut(key).and_then(|key| key.budget_usd.as_mut()) {
            *left -= usd;
        }
    }
}

impl Key {
    /// A key that nobody may use.
    #[must_use]
    pub fn revoked() -> Self {
        Self { is_revoked: true, ..Self::default() }
    }

    /// So many calls a minute, from a bucket that fills evenly.
    #[must_use]
    pub fn with_calls_per_minute(self, calls: f64) -> Self {
        Self { calls_per_minute: Some(calls), ..self }
    }

    /// So many US dollars until the quota is used up.
    #[must_use]
    pub fn with_budget_usd(self, usd: f64) -> Self {
        Self { budget_usd: Some(usd), ..self }
    }

    fn take_call(&mut self) -> Option<Fault> {
        let rate = self.calls_per_minute? / 60.0;
        let now = Instant::now();
        // A full bucket is a second's worth, at least one call.
        let full = rate.max(1.0);
        let (tokens, since) = self.bucket.unwrap_or((full, now));
        let tokens = (tokens + now.duration_since(since).as_secs_f64() * rate).min(full);
        let refused = tokens < 1.0;
        self.bucket = Some((if refused { tokens } else { tokens - 1.0 }, now));
        let wait_ms = ((1.0 - tokens) / rate * 1000.0).ceil();
        refused.then(|| {
            Fault::status(429, "rate_limit_exceeded")
                .with("retry-after-ms", &wait_ms.to_string())
                .with("x-ratelimit-remaining-requests", "0")
        })
    }
}
