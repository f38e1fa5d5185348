//! A text goes in; its words come out, each with the marks around it.

/// Marks before a word that are none of its own.
const OPENING: &str = "([{\"'“„‚‘«»¿¡—–";
/// Marks behind it.
const CLOSING: &str = ".,;:!?…)]}\"'”’“‘»«—–";

/// What stands between two blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'text> {
    /// The blanks before it.
    pub(super) space: &'text str,
    pub(super) opening: &'text str,
    pub(super) core: &'text str,
    pub(super) closing: &'text str,
}

impl<'text> Token<'text> {
    fn new(space: &'text str, word: &'text str) -> Self {
        let core = word.trim_start_matches(|c| OPENING.contains(c));
        let opening = &word[..word.len() - core.len()];
        let bare = core.trim_end_matches(|c| CLOSING.contains(c));
        Self { space, opening, core: bare, closing: &core[bare.len()..] }
    }

    /// Whether it goes on from the one before it, with nothing but a blank between them.
    pub(super) fn follows(&self, before: &Self) -> bool {
        before.closing.is_empty() && self.opening.is_empty()
    }

    /// Whether a dot stands right behind it.
    pub(super) fn has_dot(&self) -> bool {
        self.closing.starts_with('.') && !self.closing.starts_with("..")
    }
}

/// The words of a text; together they are the text, but for blanks at its end.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest) = (Vec::new(), text);
    loop {
        let word = rest.trim_start();
        let space = &rest[..rest.len() - word.len()];
        if word.is_empty() {
            return tokens;
        }
        let end = word.find(char::is_whitespace).unwrap_or(word.len());
        tokens.push(Token::new(space, &word[..end]));
        rest = &word[end..];
    }
}
