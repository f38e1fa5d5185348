//! Any error goes in; its exit code comes out.

use std::fmt;
use std::process::ExitCode;

use child::ChildError;
use queue::{PurgeError, QueueError};
use stillcast_enqueue::EnqueueError;

/// A sentence for people, and the exit code that goes with it.
#[derive(Debug)]
pub(crate) struct CliError {
    code: u8,
    sentence: String,
}

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const MISSING: u8 = 69;
const CONFIGURATION: u8 = 78;

impl CliError {
    /// The job failed, or is not in a state that allows the request.
    pub(crate) fn failed(sentence: impl Into<String>) -> anyhow::Error {
        Self { code: FAILED, sentence: sentence.into() }.into()
    }

    /// The command line or its input is at fault.
    pub(crate) fn usage(sentence: impl Into<String>) -> anyhow::Error {
        Self { code: USAGE, sentence: sentence.into() }.into()
    }

    /// An outside part is missing; the sentence says which, and the command that brings it.
    pub(crate) fn missing(sentence: impl Into<String>) -> anyhow::Error {
        Self { code: MISSING, sentence: sentence.into() }.into()
    }

    /// A program of ours has ended with this code and said why.
    pub(crate) fn of_child(code: i32, sentence: &str) -> anyhow::Error {
        let code = u8::try_from(code).unwrap_or(FAILED);
        Self { code, sentence: sentence.to_owned() }.into()
    }

    /// The environment names a part that this build leaves out: one of the crate's features.
    pub(crate) fn left_out(part: &str) -> anyhow::Error {
        Self::configuration(settings::left_out(part))
    }

    /// The environment is at fault.
    pub(crate) fn configuration(sentence: impl Into<String>) -> anyhow::Error {
        Self { code: CONFIGURATION, sentence: sentence.into() }.into()
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for CliError {}

/// The exit code of the first error of the chain that has one; 1 when none has.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    error.chain().find_map(code_of).unwrap_or(FAILED).into()
}

fn code_of(error: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(failure) = error.downcast_ref::<CliError>() {
        Some(failure.code)
    } else if let Some(error) = error.downcast_ref::<QueueError>() {
        Some(code_of_queue(error))
    } else if let Some(error) = error.downcast_ref::<EnqueueError>() {
        Some(code_of_enqueue(error))
    } else if let Some(error) = error.downcast_ref::<PurgeError>() {
        Some(code_of_purge(error))
    } else if let Some(ChildError::NotFound { .. }) = error.downcast_ref() {
        Some(MISSING)
    } else {
        None
    }
}

fn code_of_queue(error: &QueueError) -> u8 {
    match error {
        QueueError::Address(_) | QueueError::Name(_) => CONFIGURATION,
        _ => MISSING,
    }
}

fn code_of_purge(error: &PurgeError) -> u8 {
    match error {
        PurgeError::Queue(error) => code_of_queue(error),
        PurgeError::Identifier(_) => USAGE,
        _ => FAILED,
    }
}

fn code_of_enqueue(error: &EnqueueError) -> u8 {
    match error {
        EnqueueError::Invalid(_) => USAGE,
        EnqueueError::IdempotencyMismatch { .. } => FAILED,
        EnqueueError::Address(_) => CONFIGURATION,
        _ => MISSING,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_innermost_cause_decides_through_any_context() {
        let code = |error: anyhow::Error| exit_code(&error.context("outer").context("outermost"));
        let expect = |code: u8| ExitCode::from(code);
        assert_eq!(code(CliError::usage("x")), expect(2));
        assert_eq!(code(CliError::left_out("s3")), expect(78));
        assert_eq!(code(QueueError::Address("x".into()).into()), expect(78));
        assert_eq!(code(QueueError::Unfit("x".into()).into()), expect(69));
        assert_eq!(code(EnqueueError::Full.into()), expect(69));
        assert_eq!(code(PurgeError::Queue(QueueError::Unfit("x".into())).into()), expect(69));
        assert_eq!(code(PurgeError::OtherTenant { id: "x".into() }.into()), expect(1));
        assert_eq!(code(std::io::Error::other("x").into()), expect(1));
        let missing = ChildError::NotFound { program: "x".into(), hint: "y".into() };
        assert_eq!(code(missing.into()), expect(69));
    }

    #[test]
    fn context_stands_in_front_of_the_cause() {
        let error = Err::<(), _>(CliError::failed("cause")).context("where").unwrap_err();
        assert_eq!(format!("{error:#}"), "where: cause");
    }
}
