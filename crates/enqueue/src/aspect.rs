//! The shape of a picture, by its name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::InvalidField;

/// How wide a picture is beside its height.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Aspect {
    /// 1920x1080, for screens.
    #[default]
    #[serde(rename = "16:9")]
    Wide,
    /// 1080x1920, for phones held upright.
    #[serde(rename = "9:16")]
    Tall,
    /// 1080x1080, for feeds.
    #[serde(rename = "1:1")]
    Square,
}

impl Aspect {
    /// What a field takes that holds one.
    pub const WORDS: &str = "one of `16:9`, `9:16`, `1:1`";

    /// Every one.
    pub const ALL: [Self; 3] = [Self::Wide, Self::Tall, Self::Square];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wide => "16:9",
            Self::Tall => "9:16",
            Self::Square => "1:1",
        }
    }

    /// Width and height of a film, in pixels.
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Wide => (1920, 1080),
            Self::Tall => (1080, 1920),
            Self::Square => (1080, 1080),
        }
    }

    /// Whether it is what a request has that names none.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Aspect {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|aspect| aspect.as_str() == text);
        known.ok_or_else(|| InvalidField::value("options.aspect", Self::WORDS, "another word"))
    }
}
