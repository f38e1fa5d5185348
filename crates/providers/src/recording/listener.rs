//! Whose answers are heard; what a fault of them means, and what mends it, comes out.

use pipeline::{FailureClass, ProviderError};

use super::fault::Fault;
use crate::ffmpeg::Ffmpeg;

/// Hears the answers of one voice.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) ffmpeg: Ffmpeg,
    /// The settings that mend a voice of another format.
    pub(crate) remedy: &'static str,
}

impl Listener {
    pub(super) fn error(&self, fault: Fault) -> ProviderError {
        let Self { ffmpeg, remedy } = self;
        let provider = ffmpeg.provider;
        let twice = |code, message| {
            ProviderError::transient(provider, code, message).again(FailureClass::Misconfigured)
        };
        match fault {
            Fault::NotSound => twice("speech-unreadable", format!("{fault}; look at {remedy}")),
            Fault::Cut => twice("speech-cut", fault.to_string()),
            Fault::Format(_) => {
                let message = format!("{fault}; set {remedy} to a voice that can be read");
                ProviderError::misconfigured(provider, "speech-format", message)
            }
        }
    }
}
