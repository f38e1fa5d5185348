//! What a server was found to know. Servers of one's own speak this API with fewer words, or with
//! older ones: what one of them refuses is not asked of it again as long as the process lives.
//!
//! A dialect says how a question is put, never what is asked: no revision knows of it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::thought::{Habit, Hold};
use crate::http::KnownFault;

/// What can be done without, and what is done instead.
const DISPENSABLE: [(&str, &str); 4] = [
    (LIMIT, "`max_tokens` is sent instead"),
    (COUNT, "tokens are estimated where it does not count them by itself"),
    (EFFORT, "it thinks as much as it likes"),
    (STREAM, "whole answers are taken instead, and speech begins later"),
];
const LIMIT: &str = "max_completion_tokens";
pub(super) const COUNT: &str = "stream_options";
pub(super) const EFFORT: &str = "reasoning_effort";
pub(super) const STREAM: &str = "stream";
/// How much more may be written, once thoughts were found to use it up.
const RAISE: u32 = 4;

/// What one server was found to know, shared by all calls.
#[derive(Debug)]
pub(super) struct Dialect {
    refused: [AtomicBool; DISPENSABLE.len()],
    /// Most tokens of an answer.
    limit: AtomicU32,
    configured: u32,
    is_unmarked: AtomicBool,
    is_plain: AtomicBool,
    /// What its answers are at fault with, as long as that stands.
    pub(super) known: KnownFault,
}

/// How one question is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manner {
    refused: [bool; DISPENSABLE.len()],
    /// Most tokens of the answer.
    pub(super) limit: u32,
    /// Which of its words wait.
    pub(super) hold: Hold,
}

impl Dialect {
    /// Nothing is known yet of a server that shall answer in at most `limit` tokens.
    pub(super) fn new(limit: u32) -> Self {
        let (is_unmarked, is_plain) = (AtomicBool::default(), AtomicBool::default());
        let refused = Default::default();
        let known = KnownFault::default();
        Self { refused, limit: limit.into(), configured: limit, is_unmarked, is_plain, known }
    }

    /// How to ask now.
    pub(super) fn manner(&self) -> Manner {
        let hold = match (is_set(&self.is_unmarked), is_set(&self.is_plain)) {
            (true, _) => Hold::All,
            (false, true) => Hold::Nothing,
            (false, false) => Hold::Beginning,
        };
        let refused = std::array::from_fn(|at| is_set(&self.refused[at]));
        Manner { refused, limit: self.limit.load(Ordering::Relaxed), hold }
    }

    /// Notes that `parameter`, which `manner` sent, was refused; whether to ask again without it.
    pub(super) fn refuses(&self, parameter: Option<&str>, manner: Manner) -> bool {
        let known = |(name, _): &(&str, &str)| Some(*name) == parameter;
        let Some(at) = DISPENSABLE.iter().position(known) else { return false };
        let (name, instead) = DISPENSABLE[at];
        if !manner.sends(name) {
            return false;
        }
        if !self.refused[at].swap(true, Ordering::Relaxed) {
            tracing::info!("LLM_BASE_URL: the server refuses `{name}`; from now on {instead}");
        }
        true
    }

    /// Notes that thoughts have used up all tokens of a call in this manner; whether the next one
    /// has more of them.
    pub(super) fn thinks_long(&self, manner: Manner) -> bool {
        let raised = self.configured.saturating_mul(RAISE);
        let before = self.limit.swap(raised, Ordering::Relaxed);
        if before < raised {
            tracing::info!(
                "LLM_MODEL thinks before it writes, and used up its {before} tokens \
                 (LLM_MAX_TOKENS); from now on it has {raised}"
            );
        }
        manner.limit < raised
    }

    /// Notes how the server thinks.
    pub(super) fn thinks(&self, habit: Habit) {
        match habit {
            Habit::Plain => self.is_plain.store(true, Ordering::Relaxed),
            Habit::Unmarked if self.is_unmarked.swap(true, Ordering::Relaxed) => {}
            Habit::Unmarked => tracing::info!(
                "LLM_BASE_URL: the server sends thoughts without a mark at their beginning; from \
                 now on words wait for a thought to end, and speech begins later"
            ),
        }
    }
}

impl Manner {
    /// The name of the limit, as the server knows it.
    pub(super) fn limit_name(self) -> &'static str {
        if self.sends(LIMIT) { LIMIT } else { "max_tokens" }
    }

    /// How it is asked, for people.
    pub(super) fn told(self) -> String {
        let (name, limit) = (self.limit_name(), self.limit);
        let others = [STREAM, COUNT, EFFORT].into_iter().filter(|name| self.sends(name));
        let others = others.map(|name| format!("`{name}`"));
        let limit = format!("`{name}` = {limit} (LLM_MAX_TOKENS)");
        let all: Vec<String> = std::iter::once(limit).chain(others).collect();
        format!("asked with {}", all.join(", "))
    }

    /// Whether `parameter` is sent.
    pub(super) fn sends(&self, parameter: &str) -> bool {
        let mut all = DISPENSABLE.iter().zip(self.refused);
        let refused = all.any(|((name, _), refused)| *name == parameter && refused);
        // Counting is an option of streams.
        !refused && (parameter != COUNT || self.sends(STREAM))
    }
}

fn is_set(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_not_sent_again_and_refused_once() {
        let dialect = Dialect::new(100);
        let before = dialect.manner();
        assert!([LIMIT, COUNT, EFFORT, STREAM].iter().all(|name| before.sends(name)));
        assert!(dialect.refuses(Some(LIMIT), before));
        let after = dialect.manner();
        assert!(!after.sends(LIMIT) && after.sends(STREAM));
        assert!(!dialect.refuses(Some(LIMIT), after), "it was not sent");
        assert!(dialect.refuses(Some(LIMIT), before), "another call was under way meanwhile");
        for unknown in [None, Some("max_tokens"), Some("messages")] {
            assert!(!dialect.refuses(unknown, after), "{unknown:?}");
        }
        assert!(dialect.refuses(Some(STREAM), after));
        assert!(!dialect.manner().sends(COUNT), "it says how a stream is sent");
    }

    #[test]
    fn the_limit_is_raised_once() {
        let dialect = Dialect::new(100);
        let before = dialect.manner();
        assert!(dialect.thinks_long(before));
        let after = dialect.manner();
        assert_eq!((before.limit, after.limit), (100, 400));
        assert!(dialect.thinks_long(before), "another call was under way meanwhile");
        assert!(!dialect.thinks_long(after));
        assert_eq!(dialect.manner().limit, 400);
    }

    #[test]
    fn words_wait_until_it_is_known_how_the_server_thinks() {
        let dialect = Dialect::new(100);
        assert_eq!(dialect.manner().hold, Hold::Beginning);
        dialect.thinks(Habit::Plain);
        assert_eq!(dialect.manner().hold, Hold::Nothing);
        dialect.thinks(Habit::Unmarked);
        assert_eq!(dialect.manner().hold, Hold::All);
        dialect.thinks(Habit::Plain);
        assert_eq!(dialect.manner().hold, Hold::All, "thoughts come back");
    }
}
