//! How single words are said, by their spelling.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::InvalidField;

/// Most characters of a word, and of what is said instead.
const MAX_WORD: usize = 64;
const MAX_SAID: usize = 128;
/// What is no part of a word: marks that a voice may take for its own.
const MARKS: &str = "<>{}[]|\\^=\"";

/// Words, and what is said instead of each: another spelling, or its sounds in IPA between slashes.
///
/// A word in small letters stands for itself in any case; one with a capital only as it is written.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lexicon(BTreeMap<String, String>);

impl Lexicon {
    /// Of words with what is said; of a word that stands twice, the last.
    pub fn new(words: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(words.into_iter().collect())
    }

    /// The words with what is said, in the order of their spelling.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(word, said)| (word.as_str(), said.as_str()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a word is told by its sounds.
    pub fn has_ipa(&self) -> bool {
        self.0.values().any(|said| said.starts_with('/'))
    }

    /// Finds the first word that nobody could say; `field` is where the lexicon stands.
    pub fn check(&self, field: &str) -> Result<(), InvalidField> {
        let fault = |takes: String| Err(InvalidField::value(field, takes, "another text"));
        for (word, said) in &self.0 {
            if !is_sayable(word, MAX_WORD) {
                return fault(format!(
                    "words of 1 to {MAX_WORD} characters, with a letter and without any of `{MARKS}`"
                ));
            }
            let sounds =
                said.strip_prefix('/').map(|said| said.strip_suffix('/').unwrap_or_default());
            if !is_sayable(sounds.unwrap_or(said), MAX_SAID) {
                return fault(format!(
                    "for each word what is said instead, 1 to {MAX_SAID} characters without any of \
                     `{MARKS}`, or its sounds in IPA between two slashes"
                ));
            }
        }
        Ok(())
    }
}

fn is_sayable(text: &str, most: usize) -> bool {
    let is_plain = |c: char| !c.is_control() && !MARKS.contains(c);
    text.contains(char::is_alphanumeric)
        && text.trim() == text
        && text.chars().count() <= most
        && text.chars().all(is_plain)
}

/// As JSON: `{"qigong":"chee gung"}`.
impl fmt::Display for Lexicon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Lexicon {
    type Err = InvalidField;

    fn from_str(json: &str) -> Result<Self, InvalidField> {
        let takes = "an object of words with what is said instead, as JSON";
        let fault = |_| InvalidField::value("options.lexicon", takes, "another text");
        let lexicon: Self = serde_json::from_str(json).map_err(fault)?;
        lexicon.check("options.lexicon").map(|()| lexicon)
    }
}

/// Names are private: none of them reaches a log.
impl fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lexicon({} words)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, said: &str) -> Result<(), String> {
        let lexicon = Lexicon::new([(word.to_owned(), said.to_owned())]);
        lexicon.check("options.lexicon").map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_nobody_could_say_is_refused_and_not_repeated() {
        for (word, said) in
            [("qigong", "chee gung"), ("Dr.", "Doctor"), ("气功", "/tɕʰi/"), ("4-7-8", "x")]
        {
            assert_eq!(check(word, said), Ok(()), "{word}");
        }
        let long = "x".repeat(129);
        for (word, said) in [
            ("", "x"),
            (" a", "x"),
            ("-", "x"),
            ("a<b", "x"),
            ("Secret", ""),
            ("Secret", "<break/>"),
            ("Secret", "//"),
            ("Secret", "/a"),
            ("Secret", "a\n"),
            ("Secret", &long),
            (&long, "x"),
        ] {
            let fault = check(word, said).unwrap_err();
            assert!(fault.starts_with("`options.lexicon` takes "), "{fault}");
            assert!(!fault.contains("Secret"), "{fault}");
        }
    }

    #[test]
    fn it_is_read_as_it_is_shown() {
        let lexicon: Lexicon = r#"{"b": "be", "a": "ay"}"#.parse().unwrap();
        assert_eq!(lexicon.to_string(), r#"{"a":"ay","b":"be"}"#);
        assert_eq!(format!("{lexicon:?}"), "Lexicon(2 words)");
        for broken in ["", "[]", r#"{"a":1}"#, r#"{"a":""}"#] {
            assert!(broken.parse::<Lexicon>().is_err(), "{broken}");
        }
    }
}
