//! A stage goes in; what it asks of a provider comes out, and the word for that in settings.
//!
//! For this house's own programs: an application that enqueues has no use for it. It stands beside
//! the stages since both the worker, which obeys these settings, and the operators' program, which
//! chooses them for a private worker, have to agree with them.

use std::fmt;

use crate::StageName;

/// What a provider may be asked for. Operators choose for each who does it (`<CAPABILITY>_PROVIDER`).
///
/// Shown in capitals, as in names of the environment: `LLM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Words.
    Llm,
    /// Speech.
    Tts,
    /// Pictures.
    Image,
    /// Judgements of texts. Who judges is set up by an address alone, and may be nobody.
    Moderation,
}

impl Capability {
    /// Every capability that somebody must have, in the order in which the stages ask.
    pub const ALL: [Self; 3] = [Self::Llm, Self::Tts, Self::Image];

    /// The first word of its settings' names, as in a file: `llm`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::Tts => "tts",
            Self::Image => "image",
            Self::Moderation => "moderation",
        }
    }

    /// The stage that asks for it, or asks first.
    pub fn stage(self) -> StageName {
        match self {
            Self::Llm => StageName::Transcript,
            Self::Tts => StageName::Tts,
            Self::Image => StageName::Image,
            Self::Moderation => StageName::Collection,
        }
    }

    /// What `stage` asks for; `None` for a stage whose work is done here, whoever the providers are.
    pub fn of(stage: StageName) -> Option<Self> {
        match stage {
            StageName::Transcript => Some(Self::Llm),
            StageName::Tts => Some(Self::Tts),
            StageName::Image => Some(Self::Image),
            StageName::Collection | StageName::Encode | StageName::Upload => None,
        }
    }
}

/// Whether the makers that need no provider know `language`, a tag such as `en-GB`; where nobody names one,
/// they take the words for English.
pub fn offline_speaks(language: Option<&str>) -> bool {
    let primary = language.and_then(|tag| tag.split('-').next());
    primary.is_none_or(|tag| tag.eq_ignore_ascii_case("en"))
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_and_capabilities_agree() {
        let asked: Vec<_> = StageName::ALL.into_iter().filter_map(Capability::of).collect();
        assert_eq!(asked, Capability::ALL);
        for capability in Capability::ALL {
            assert_eq!(Capability::of(capability.stage()), Some(capability));
        }
    }

    #[test]
    fn the_environment_says_it_in_capitals() {
        assert_eq!(Capability::ALL.map(|one| one.to_string()), ["LLM", "TTS", "IMAGE"]);
    }
}
