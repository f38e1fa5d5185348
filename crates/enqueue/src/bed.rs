//! What lies under a voice, by its name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::InvalidField;

/// What lies under the voice.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bed {
    /// Nothing.
    #[default]
    None,
    /// Steady rain on leaves, with drops near by.
    Rain,
    /// Noise that falls by 6 dB an octave.
    BrownNoise,
    /// A low fifth that beats slowly.
    Drone,
    /// Waves on a beach, one in eight to thirteen seconds.
    Sea,
    /// Bowls that are struck now and then.
    SingingBowls,
}

impl Bed {
    /// What a field takes that holds one.
    pub const WORDS: &str = "one of `none`, `rain`, `brown-noise`, `drone`, `sea`, `singing-bowls`";

    /// Every bed.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Rain, Self::BrownNoise, Self::Drone, Self::Sea, Self::SingingBowls];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Rain => "rain",
            Self::BrownNoise => "brown-noise",
            Self::Drone => "drone",
            Self::Sea => "sea",
            Self::SingingBowls => "singing-bowls",
        }
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

impl fmt::Display for Bed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Bed {
    type Err = InvalidField;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|bed| bed.as_str() == text);
        known.ok_or_else(|| InvalidField::value("options.bed", Self::WORDS, "another word"))
    }
}
