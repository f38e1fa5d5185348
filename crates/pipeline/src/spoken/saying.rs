//! Words of a text go in; what stands for them when it is said comes out.

use super::form::Form;
use super::token::Token;

/// What is said instead of some words.
pub(super) struct Saying {
    pub(super) words: String,
    /// How many words it stands for, at least one.
    pub(super) count: usize,
    /// Whether the dot behind the last of them belongs to it.
    pub(super) dot: Dot,
}

/// Whose a dot is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dot {
    /// The sentence's.
    Ends,
    /// The word's, and the sentence's too where that ends.
    Shortens,
    /// The word's alone.
    Belongs,
}

impl Saying {
    pub(super) fn new(words: impl Into<String>, count: usize) -> Self {
        Self { words: words.into(), count, dot: Dot::Ends }
    }

    /// The same, of words whose dot says that they are cut short.
    pub(super) fn shortened(self) -> Self {
        Self { dot: Dot::Shortens, ..self }
    }

    /// The same, of words whose dot ends no sentence.
    pub(super) fn dotted(self) -> Self {
        Self { dot: Dot::Belongs, ..self }
    }
}

/// Whether a number with a unit behind it stands at `at`: the number, the unit, and how many words they are.
pub(super) fn measured<'text>(
    tokens: &[Token<'text>],
    at: usize,
) -> Option<(&'text str, &'text str, usize)> {
    let token = tokens.get(at)?;
    let (number, unit) = Form::split_unit(token.core)?;
    if !unit.is_empty() {
        return Some((number, unit, 1));
    }
    let next = tokens.get(at + 1).filter(|next| next.follows(token))?;
    Some((number, next.core, 2))
}
