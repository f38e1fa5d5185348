//! A word from outside becomes an identifier that is safe in a key, a path and a log.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::InvalidField;

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`: no separator of keys, paths or log lines can be in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

/// Longest identifier, in characters.
const MAX_LENGTH: usize = 128;

impl Identifier {
    /// What a field takes that holds one.
    pub const GRAMMAR: &str = "letters, digits and `._-`, 1 to 128, the first a letter or a digit";

    /// Checks `text` against the grammar; `field` names the culprit in the error.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, InvalidField> {
        if is_identifier(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidField::value(field, Self::GRAMMAR, "another text"))
        }
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_identifier(text: &str) -> bool {
    let mut characters = text.bytes();
    let first = characters.next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    first
        && text.len() <= MAX_LENGTH
        && characters.all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

impl TryFrom<String> for Identifier {
    type Error = InvalidField;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse("identifier", &text)
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one job for ever. Made by the client, so that a repeated enqueue is the same enqueue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Identifier);

impl JobId {
    /// A new identifier; identifiers made later sort later (UUID version 7).
    pub fn generate() -> Self {
        Self(Identifier(uuid::Uuid::now_v7().to_string()))
    }

    /// Checks an identifier that came from outside.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        Identifier::parse("id", text).map(Self)
    }

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
