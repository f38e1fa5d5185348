//! What a script says to the fakes, call by call.

use std::time::Duration;

use crate::FailureClass;

/// What the next call of a stage does; without a script it succeeds at once.
#[derive(Clone, Copy, Debug)]
pub(in crate::tests) enum Step {
    Succeed,
    Fail(FailureClass),
    /// Never answers.
    Hang,
    /// Succeeds after a while.
    Slow(Duration),
    /// Answers with something that no check should let pass.
    Garble,
    /// A transcript that ends in the middle.
    Cut,
    /// A transcript of two paragraphs, ended as if it were whole.
    Short,
    /// A transcript that does not end by itself.
    Long,
    /// A transcript that ran into its limit of tokens.
    Limited,
}
