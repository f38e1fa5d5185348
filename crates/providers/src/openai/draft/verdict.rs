//! An answer that was read goes in; what it has cost comes out, and whether it is a draft at all.

use pipeline::{Finish, ProviderError, Usage};
use unicode_segmentation::UnicodeSegmentation;

use super::super::answer::AnswerParser;
use super::super::dialect::{Dialect, Manner};
use super::super::price::{TokenPrice, tokens_of};
use super::super::waste::{Waste, thought_too_long};

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
        let apart = [
            ("reasoning_tokens", self.parser.tokens.thought),
            ("cached_input_tokens", self.parser.tokens.cached),
        ];
        let counted = apart.into_iter().filter_map(|(name, count)| Some((name, count?)));
        let counted = counted.filter(|(_, count)| *count > 0);
        let usage = self.price.usage(input, output);
        counted.fold(usage, |usage, (name, count)| usage.and(name, count as f64))
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
            if !dialect.thinks_long(manner) {
                return Some(Waste::ThoughtTooLong.error_once(manner.limit));
            }
            // What it has written is gone on from, with more room.
            return is_empty.then(|| thought_too_long(manner.limit));
        }
        let waste = if thinks { Waste::OnlyThought } else { Waste::Empty };
        is_empty.then(|| waste.error_once(manner.limit))
    }
}
