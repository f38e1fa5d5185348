//! The kind of a finished file, by its name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Format, InvalidField};

/// What a finished file is packed as, and so what plays it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Container {
    /// AAC in MPEG-4, which every phone plays.
    M4a,
    /// MPEG layer III, which everything plays.
    Mp3,
    /// Opus in Ogg, the smallest.
    Opus,
    /// Plain samples, for who goes on working with them.
    Wav,
    /// The same without loss in half the size.
    Flac,
    /// H.264 and AAC for players on the web: two pictures a second, 25 where they move.
    Mp4,
    /// The same as platforms take uploads: 25 pictures a second, closed groups of ten seconds, no edit
    /// list.
    Mp4Social,
}

impl Container {
    /// What a field takes that holds one.
    pub const WORDS: &str = "one of `m4a`, `mp3`, `opus`, `wav`, `flac` for audio, or one of `mp4`, \
                             `mp4-social` for video";

    /// Every one.
    pub const ALL: [Self; 7] =
        [Self::M4a, Self::Mp3, Self::Opus, Self::Wav, Self::Flac, Self::Mp4, Self::Mp4Social];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mp4Social => "mp4-social",
            _ => self.extension(),
        }
    }

    /// What it can hold.
    pub fn format(self) -> Format {
        match self {
            Self::M4a | Self::Mp3 | Self::Opus | Self::Wav | Self::Flac => Format::Audio,
            Self::Mp4 | Self::Mp4Social => Format::Video,
        }
    }

    /// The ending of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::M4a => "m4a",
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
            Self::Wav => "wav",
            Self::Flac => "flac",
            Self::Mp4 | Self::Mp4Social => "mp4",
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::M4a => "audio/mp4",
            Self::Mp3 => "audio/mpeg",
            Self::Opus => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::Flac => "audio/flac",
            Self::Mp4 | Self::Mp4Social => "video/mp4",
        }
    }
}

impl From<Format> for Container {
    /// The one of a request that names none.
    fn from(format: Format) -> Self {
        match format {
            Format::Audio => Self::M4a,
            Format::Video => Self::Mp4,
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Container {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|container| container.as_str() == text);
        known.ok_or_else(|| InvalidField::value("options.container", Self::WORDS, "another word"))
    }
}
