//! A text in a language whose rules are known goes in; it comes out with its numbers and abbreviations
//! said in words.

use super::saying::{Dot, Saying};
use super::token::{Token, tokens};
use super::{english, german};

/// A language whose rules are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    English {
        /// Whether `3/11/2026` is in November.
        is_day_first: bool,
    },
    German,
}

/// What a text holds in one of the two, and in no other language that is written like them.
const ENGLISH: [&str; 10] =
    ["the", "and", "you", "your", "with", "breathe", "this", "let", "from", "into"];
const GERMAN: [&str; 14] = [
    "und", "das", "dein", "deine", "deinen", "nicht", "ist", "eine", "einen", "sich", "dich",
    "auf", "atme", "wir",
];
/// Who writes days before months in English: everybody but Americans.
const MONTH_FIRST: [&str; 2] = ["en", "en-us"];

impl Tongue {
    /// Of a text in `language`; where nobody names one, as far as the text itself tells.
    pub(super) fn of(language: Option<&str>, text: &str) -> Option<Self> {
        let Some(tag) = language.map(str::to_ascii_lowercase) else { return Self::guess(text) };
        let is_day_first = !MONTH_FIRST.contains(&tag.as_str());
        match tag.split('-').next() {
            Some("en") => Some(Self::English { is_day_first }),
            Some("de") => Some(Self::German),
            _ => None,
        }
    }

    /// The language's first subtag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English { .. } => "en",
            Self::German => "de",
        }
    }

    fn guess(text: &str) -> Option<Self> {
        let count = |words: &[&str]| {
            let cores = tokens(text).into_iter().map(|token| token.core.to_lowercase());
            cores.filter(|core| words.contains(&core.as_str())).count()
        };
        match (count(&ENGLISH), count(&GERMAN)) {
            (english, german) if english > german => Some(Self::English { is_day_first: false }),
            (english, german) if german > english => Some(Self::German),
            _ => None,
        }
    }

    /// `text` with all that the rules know in words.
    pub(super) fn read(self, text: &str) -> String {
        let tokens = tokens(text);
        let (mut read, mut at) = (String::new(), 0);
        while let Some(token) = tokens.get(at) {
            let saying = self.saying(&tokens, at);
            let count = saying.as_ref().map_or(1, |saying| saying.count.max(1));
            let last = tokens.get(at + count - 1).unwrap_or(token);
            read.extend([token.space, token.opening]);
            match saying {
                Some(saying) => {
                    read.push_str(&saying.words);
                    let is_owned = match saying.dot {
                        Dot::Ends => false,
                        Dot::Shortens => !ends_here(&tokens, at + count),
                        Dot::Belongs => true,
                    };
                    let is_taken = is_owned && last.has_dot();
                    read.push_str(if is_taken { &last.closing[1..] } else { last.closing });
                }
                None => read.extend([token.core, token.closing]),
            }
            at += count;
        }
        let blanks = text.len() - text.trim_end().len();
        read.push_str(&text[text.len() - blanks..]);
        read
    }

    fn saying(self, tokens: &[Token<'_>], at: usize) -> Option<Saying> {
        match self {
            Self::English { is_day_first } => english::saying(tokens, at, is_day_first),
            Self::German => german::saying(tokens, at),
        }
    }
}

/// Whether a sentence ends before the word `at`: there is none, or it begins with a capital. A dot that
/// stands there ends the sentence too.
fn ends_here(tokens: &[Token<'_>], at: usize) -> bool {
    let Some(next) = tokens.get(at) else { return true };
    let is_month = english::month(next.core).or_else(|| german::month(next.core)).is_some();
    next.core.starts_with(char::is_uppercase) && !is_month
}
