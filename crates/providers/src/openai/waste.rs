//! An answer that was paid for and holds no words goes in; what that means for the set-up comes out.

use pipeline::{FailureClass, ProviderError};

use super::PROVIDER;

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
    /// What it means for the set-up, of which `limit` is a part.
    fn error(self, limit: u32) -> ProviderError {
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
