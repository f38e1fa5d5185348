//! How a voice's program ended goes in; a provider error of the right class comes out, never with the
//! program's own words: they may quote the text.

use child::ChildError;
use pipeline::{FailureClass, ProviderError};

/// The name in records.
pub(super) const PROVIDER: &str = "command";
pub(super) const HINT: &str = "install it, or correct TTS_COMMAND";
const PASSING: FailureClass = FailureClass::Transient { retry_after: None };

pub(super) fn no_words() -> ProviderError {
    let message = "TTS_COMMAND is empty; set it to a program and its arguments";
    ProviderError::misconfigured(PROVIDER, "command-missing", message)
}

pub(super) fn unusable() -> ProviderError {
    let message = "the program of TTS_COMMAND does not start; is it executable?";
    ProviderError::misconfigured(PROVIDER, "command-unusable", message)
}

pub(super) fn failed(error: &ChildError) -> ProviderError {
    match error {
        ChildError::NotFound { .. } => {
            ProviderError::misconfigured(PROVIDER, "command-missing", error.to_string())
        }
        ChildError::Spawn { .. } => unusable(),
        ChildError::Status { code, .. } => ended(*code),
        ChildError::Signal { signal, .. } => ended_with(PASSING, &format!("signal {signal}")),
        ChildError::Timeout { after, .. } => {
            let message = format!("the voice's program took longer than {after:?}");
            ProviderError::transient(PROVIDER, "command-timeout", message)
        }
        ChildError::TooMuchOutput { limit, .. } => too_much(*limit),
        _ => ProviderError::transient(PROVIDER, "command-failed", "the pipe to the voice broke"),
    }
}

/// The numbers are those of `sysexits.h`.
pub(super) fn ended(status: i32) -> ProviderError {
    let class = match status {
        64 | 65 => FailureClass::Permanent,
        69 | 77 | 78 => FailureClass::Misconfigured,
        _ => PASSING,
    };
    ended_with(class, &format!("status {status}"))
}

pub(super) fn too_much(limit: usize) -> ProviderError {
    let message = format!("the voice's program wrote more than {limit} bytes");
    ProviderError::transient(PROVIDER, "command-too-much", message)
        .again(FailureClass::Misconfigured)
}

/// An answer that is none, of a program that stays.
pub(super) fn garbled() -> ProviderError {
    let message = "the voice's program does not answer as one that stays; does it know \
                   TTS_COMMAND_RESIDENT?";
    ProviderError::transient(PROVIDER, "command-garbled", message)
        .again(FailureClass::Misconfigured)
}

fn ended_with(failure: FailureClass, how: &str) -> ProviderError {
    let message = format!("the voice's program ended with {how}; try TTS_COMMAND by hand");
    ProviderError::new(PROVIDER, failure, "command-failed", message)
}
