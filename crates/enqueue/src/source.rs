//! What a meditation is about: the words themselves, or the name of a conversation that a worker
//! reads from the application's database.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Identifier, InvalidField};

/// What the meditation is about. On the wire `{"text": "…"}` or `{"conversation_id": "…"}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SourceFields", into = "SourceFields")]
#[non_exhaustive]
pub enum Source {
    /// The words themselves, at most 16 KiB.
    Text(String),
    /// A conversation of the job's tenant, read by the worker from its `DATABASE_URL`; only the
    /// identifier travels.
    Conversation(Uuid),
    /// A kind of a later version, by its field's name: read from an envelope, never sent.
    Unknown(Identifier),
}

impl Source {
    /// What a field takes that holds one.
    pub(crate) const KINDS: &str = "either `text` or `conversation_id`";

    /// The conversation that `id`, a UUID, names.
    pub fn conversation(id: &str) -> Result<Self, InvalidField> {
        Uuid::try_parse(id)
            .map(Self::Conversation)
            .map_err(|_| InvalidField::value("source.conversation_id", "a UUID", "another text"))
    }
}

/// Private text never reaches a log, not even through `{:?}`.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Conversation(id) => write!(f, "Conversation({id})"),
            Self::Unknown(kind) => write!(f, "Unknown({kind})"),
        }
    }
}

/// A source as it lies on the wire: one field, whose name is the kind.
#[derive(Serialize, Deserialize)]
pub(crate) struct SourceFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    #[serde(flatten, skip_serializing)]
    #[expect(
        clippy::zero_sized_map_values,
        reason = "what flattens is a map; values are not kept"
    )]
    later: BTreeMap<String, IgnoredAny>,
}

impl TryFrom<SourceFields> for Source {
    type Error = InvalidField;

    fn try_from(fields: SourceFields) -> Result<Self, InvalidField> {
        match (fields.text, fields.conversation_id, fields.later.into_keys().next()) {
            (Some(text), None, _) => Ok(Self::Text(text)),
            (None, Some(id), _) => Self::conversation(&id),
            (None, None, Some(kind)) => Identifier::parse("source", &kind).map(Self::Unknown),
            _ => Err(InvalidField::value("source", Self::KINDS, "both or neither")),
        }
    }
}

impl From<Source> for SourceFields {
    fn from(source: Source) -> Self {
        let (mut text, mut conversation_id) = (None, None);
        match source {
            Source::Text(words) => text = Some(words),
            Source::Conversation(id) => conversation_id = Some(id.to_string()),
            Source::Unknown(_) => {}
        }
        Self { text, conversation_id, later: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0191d0c4-7a3b-7c52-9e0f-3c6d2f8a1b44";

    fn read(json: &str) -> Result<Source, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn each_kind_is_one_field() {
        let conversation = Source::conversation(ID).unwrap();
        for (source, json) in [
            (Source::Text("Rain.".to_owned()), r#"{"text":"Rain."}"#.to_owned()),
            (conversation, format!(r#"{{"conversation_id":"{ID}"}}"#)),
        ] {
            assert_eq!(serde_json::to_string(&source).unwrap(), json);
            assert_eq!(read(&json).unwrap(), source);
        }
    }

    #[test]
    fn a_later_kind_is_named_and_nonsense_is_refused() {
        let playlist = Identifier::parse("source", "playlist").unwrap();
        assert_eq!(read(r#"{"playlist":{"id":7}}"#).unwrap(), Source::Unknown(playlist));
        for json in [
            "{}",
            r#"{"text":"a","conversation_id":"b"}"#,
            r#"{"conversation_id":"not a uuid"}"#,
            r#"{"a private sentence":1}"#,
            "\"text\"",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn debug_output_holds_no_text() {
        let shown = format!("{:?}", Source::Text("my secret".to_owned()));
        assert_eq!(shown, "Text(9 bytes)");
    }
}
