//! The stages of a job, one row each, and the account that each of them gives.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Each stage with its word, in travel order: a stage that stands here stands in every list. The word is
/// the name in small letters, since the description of the API reads no other way to call it.
macro_rules! stages {
    ($($(#[$doc:meta])* $stage:ident = $word:literal,)*) => {
        /// The six stages; each has one word, the same in files, configuration, labels and records.
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "lowercase")]
        pub enum StageName {$($(#[$doc])* $stage,)*}

        impl StageName {
            /// Every stage in travel order.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$stage),*];

            /// The stage's one word.
            pub fn as_str(self) -> &'static str {
                match self {$(Self::$stage => $word,)*}
            }
        }
    };
}

stages! {
    /// Gathers the source text.
    Collection = "collection",
    /// Writes the words to be spoken.
    Transcript = "transcript",
    /// Speaks them.
    Tts = "tts",
    /// Draws the picture.
    Image = "image",
    /// Makes the file.
    Encode = "encode",
    /// Delivers it.
    Upload = "upload",
}

impl StageName {
    /// The stage that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one stage did in the last attempt.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Which stage.
    pub stage: StageName,
    /// Seconds from the attempt's begin to the stage's own; null where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_s: Option<f64>,
    /// Seconds from the attempt's begin to the stage's end, or as far as it has come. Stages overlap:
    /// one that takes what another still makes may rest between its begin and its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_s: Option<f64>,
    /// Seconds waited for a slot.
    pub wait_s: f64,
    /// Seconds of work.
    pub run_s: f64,
    /// Tries made; 0 when it answered from a cache.
    pub tries: u32,
    /// Whether the result came from a checkpoint or a cache.
    pub cached: bool,
    /// The provider that did it, such as `offline`.
    pub provider: Option<String>,
    /// What it used, by name and unit, such as `cpu_s`.
    pub resources: BTreeMap<String, f64>,
}

impl StageRecord {
    /// The account of a stage whose result came from a checkpoint or a cache: no time, no tries.
    pub fn cached(stage: StageName, provider: Option<String>) -> Self {
        Self {
            stage,
            began_s: None,
            ended_s: None,
            wait_s: 0.0,
            run_s: 0.0,
            tries: 0,
            cached: true,
            provider,
            resources: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_has_one_word() {
        for stage in StageName::ALL {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
            assert_eq!(StageName::parse(stage.as_str()), Some(stage));
        }
    }
}
