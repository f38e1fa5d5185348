//! Answers that were paid for and hold no words go in; how long nothing more is bought comes out.
//!
//! Such a fault is the set-up's, and a job that probes whether it is mended would buy the same again.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use pipeline::{FailureClass, ProviderError};
use tokio::time::Instant;

use super::PROVIDER;

/// The first rest, and the longest one: some fifteen answers in a day.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(4);

/// Why an answer holds no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waste {
    /// Thoughts have used up a limit that was raised already.
    ThoughtTooLong,
    /// Nothing but thoughts, though there was room.
    OnlyThought,
    /// Nothing at all.
    Empty,
}

impl Waste {
    const ALL: [Self; 3] = [Self::ThoughtTooLong, Self::OnlyThought, Self::Empty];

    /// What it means for the set-up, of which `limit` is a part.
    pub(super) fn error(self, limit: u32) -> ProviderError {
        let (code, message) = match self {
            Self::ThoughtTooLong => (
                "thought-too-long",
                format!(
                    "{}, though the limit was raised; raise LLM_MAX_TOKENS, or choose an LLM_MODEL \
                     that thinks less",
                    used_up(limit)
                ),
            ),
            Self::OnlyThought => (
                "transcript-empty",
                "the model has only thought, and written no words; choose another LLM_MODEL, or \
                 look at how its server takes thoughts out"
                    .to_owned(),
            ),
            Self::Empty => (
                "transcript-empty",
                "the model has written no words; is LLM_MODEL right?".to_owned(),
            ),
        };
        ProviderError::misconfigured(PROVIDER, code, message)
    }

    /// What one such answer means: an accident, unless more was found out before.
    pub(super) fn error_once(self, limit: u32) -> ProviderError {
        let error = self.error(limit);
        match self {
            Self::ThoughtTooLong => error,
            Self::OnlyThought | Self::Empty => {
                let failure = FailureClass::Transient { retry_after: None };
                ProviderError { failure, ..error }.again(FailureClass::Misconfigured)
            }
        }
    }
}

/// Thoughts have used up `limit`, and the next try has more.
pub(super) fn thought_too_long(limit: u32) -> ProviderError {
    let message = format!("{}; the next try has more of them", used_up(limit));
    ProviderError::transient(PROVIDER, "thought-too-long", message)
}

fn used_up(limit: u32) -> String {
    format!("thinking used up the model's {limit} tokens before its words were whole")
}

/// What was wasted in a row, and until when nothing is bought for it.
#[derive(Debug)]
pub(super) struct Cooldown {
    began: Instant,
    in_a_row: AtomicU32,
    /// The last one, by its place in all.
    last: AtomicU8,
    /// Milliseconds since it began.
    until: AtomicU64,
}

impl Default for Cooldown {
    fn default() -> Self {
        let (in_a_row, last, until) = Default::default();
        Self { began: Instant::now(), in_a_row, last, until }
    }
}

impl Cooldown {
    /// Notes a waste. One without words is an accident; behind each other one rest is twice as long
    /// as the one before.
    pub(super) fn wasted(&self, waste: Waste) {
        let before = self.in_a_row.fetch_add(1, Ordering::Relaxed);
        let place = Waste::ALL.iter().position(|one| *one == waste).unwrap_or_default();
        self.last.store(u8::try_from(place).unwrap_or_default(), Ordering::Relaxed);
        if before == 0 && waste != Waste::ThoughtTooLong {
            return;
        }
        let rest = FIRST.saturating_mul(2_u32.saturating_pow(before)).min(LONGEST);
        self.until.store(ms(self.began.elapsed() + rest), Ordering::Relaxed);
        tracing::warn!(
            "LLM_MODEL: {}; no words are bought for {rest:?}, or until the worker is started anew",
            waste.error(0).code
        );
    }

    /// Notes words.
    pub(super) fn has_written(&self) {
        self.in_a_row.store(0, Ordering::Relaxed);
    }

    /// Why nothing is bought now.
    pub(super) fn forbids(&self) -> Option<Waste> {
        let rests = ms(self.began.elapsed()) < self.until.load(Ordering::Relaxed);
        let last = usize::from(self.last.load(Ordering::Relaxed));
        rests.then(|| Waste::ALL[last.min(Waste::ALL.len() - 1)])
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
