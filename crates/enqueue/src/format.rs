//! What a finished file is, by its name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::InvalidField;

/// What the finished file is.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Spoken word: an `.m4a`, unless the options name another container.
    Audio,
    /// Spoken word over one picture: an `.mp4`.
    Video,
}

impl Format {
    /// What a field takes that holds one.
    pub(crate) const WORDS: &str = "`audio` or `video`";

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "audio" => Ok(Self::Audio),
            "video" => Ok(Self::Video),
            _ => Err(InvalidField::value("format", Self::WORDS, "another word")),
        }
    }
}
