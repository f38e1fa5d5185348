//! The settings of a capability go in; the account on which it is bought comes out.

use std::fmt;

use secrecy::SecretString;

/// What is bought; names its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Words (`LLM_…`).
    Llm,
    /// Speech (`TTS_…`).
    Tts,
    /// Pictures (`IMAGE_…`).
    Image,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Llm => "LLM",
            Self::Tts => "TTS",
            Self::Image => "IMAGE",
        })
    }
}

/// Where and as whom a capability is bought.
#[derive(Clone, Debug)]
pub struct Account {
    /// What is bought.
    pub capability: Capability,
    /// The address in front of the vendor's paths, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The account's key; servers of one's own may need none.
    pub key: Option<SecretString>,
    /// The model's name, as the server knows it.
    pub model: String,
}
