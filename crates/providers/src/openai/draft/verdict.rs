//! An answer that was read goes in; what it has cost comes out, and whether it is a draft at all.

use pipeline::{FailureClass, Finish, ProviderError, Usage};
use unicode_segmentation::UnicodeSegmentation;

use super::super::PROVIDER;
use super::super::answer::AnswerParser;
use super::super::dialect::{Dialect, Manner};
use super::super::price::{TokenPrice, tokens_of};

/// An answer, and what it is judged by.
pub(super) struct Verdict<'answer> {
    pub(super) parser: &'answer AnswerParser,
    pub(super) price: TokenPrice,
    /// Tokens of the prompt, as near as can be told.
    pub(super) asked: u64,
    /// Words that are wanted at least.
    pub(super) least: usize,
    /// Characters handed on.
    pub(super) given: usize,
}

impl Verdict<'_> {
    /// What the answer has used: what the server counts, and else what can be told from here.
    pub(super) fn usage(&self) -> Usage {
        let (input, output) = self.tokens();
        self.price.usage(input, output)
    }

    fn tokens(&self) -> (u64, u64) {
        let written = self.parser.text.chars().count() + self.parser.thought();
        let counted = |count: Option<u64>| count.filter(|count| *count > 0);
        let input = counted(self.parser.tokens.input).unwrap_or(self.asked);
        (input, counted(self.parser.tokens.output).unwrap_or(tokens_of(written)))
    }

    /// Books on `error` what nobody else can: whoever was handed words on reckons by those.
    pub(super) fn booked(&self, error: ProviderError) -> ProviderError {
        let is_silent = self.parser.text.is_empty() && self.parser.thought() == 0;
        if is_silent && self.parser.tokens.output.is_none() {
            return error; // Nobody knows, and most such answers cost nothing.
        }
        let (input, output) = self.tokens();
        if self.given == 0 {
            return error.wasting(self.price.usage(input, output));
        }
        let (input, output) =
            (input.saturating_sub(self.asked), output.saturating_sub(tokens_of(self.given)));
        if input + output == 0 {
            return error;
        }
        error.wasting(self.price.usage(input, output))
    }

    /// Why the answer is no draft. Words that are wanted, and for which thoughts have left no room,
    /// are a matter of the limit; it is raised once.
    pub(super) fn failure(&self, dialect: &Dialect, manner: Manner) -> Option<ProviderError> {
        let parser = self.parser;
        if self.least == 0 || parser.finish == Some(Finish::Refused) {
            return None;
        }
        let is_empty = !parser.text.contains(char::is_alphanumeric);
        let thinks = parser.thought() > 0 || parser.tokens.thought.is_some_and(|count| count > 0);
        let ran_out = match parser.finish {
            Some(Finish::Length) => {
                is_empty || thinks && parser.text.unicode_words().count() < self.least
            }
            Some(_) => false,
            None => is_empty && thinks,
        };
        if ran_out {
            let has_more = dialect.thinks_long(manner);
            // What it has written is gone on from, with more room.
            return (is_empty || !has_more).then(|| exhausted(manner.limit, has_more));
        }
        is_empty.then(|| nothing_written(thinks))
    }
}

fn exhausted(limit: u32, has_more: bool) -> ProviderError {
    let what = format!("thinking used up the model's {limit} tokens before its words were whole");
    if has_more {
        let message = format!("{what}; the next try has more of them");
        return ProviderError::transient(PROVIDER, "thought-too-long", message);
    }
    let message = format!(
        "{what}, though the limit was raised; raise LLM_MAX_TOKENS, or choose an LLM_MODEL that \
         thinks less"
    );
    ProviderError::misconfigured(PROVIDER, "thought-too-long", message)
}

fn nothing_written(thinks: bool) -> ProviderError {
    let message = if thinks {
        "the model has only thought, and written no words; choose another LLM_MODEL, or look at how \
         its server takes thoughts out"
    } else {
        "the model has written no words; is LLM_MODEL right?"
    };
    ProviderError::transient(PROVIDER, "transcript-empty", message)
        .again(FailureClass::Misconfigured)
}
