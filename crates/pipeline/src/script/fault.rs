//! What is wrong with a transcript, where nothing can mend it.

use super::MAX_MARK;

/// What is wrong with a transcript; never quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptFault {
    /// Fewer words than its length asks for.
    #[error("the transcript has {0} words, too few for the length that it shall have")]
    TooShort(usize),
    /// More words than its length allows.
    #[error("the transcript has more words than the length that it shall have allows")]
    TooLong,
    /// A bracket that is not closed.
    #[error("a bracket in the transcript stays open for more than {MAX_MARK} characters")]
    Mark,
    /// Mark-up or data.
    #[error("the transcript holds {0:?}, which is not plain text")]
    NotPlain(char),
    /// A link.
    #[error("the transcript holds a link")]
    Link,
    /// The writer says that it will not write.
    #[error("the writer's words are a refusal")]
    Refusal,
}

impl ScriptFault {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooShort(_) => "transcript-too-short",
            Self::TooLong => "transcript-too-long",
            Self::Mark => "transcript-bad-pause",
            Self::NotPlain(_) | Self::Link => "transcript-not-plain",
            Self::Refusal => "content-refused",
        }
    }
}
