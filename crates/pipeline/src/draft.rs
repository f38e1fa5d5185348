//! Words as a writer gives them: piece by piece, until it says why it stopped.

use futures::stream::BoxStream;

use crate::{ProviderError, Usage};

/// Words as they are written; ends with [`DraftPiece::End`], or else it was cut short.
pub type Draft = BoxStream<'static, Result<DraftPiece, ProviderError>>;

/// A piece of a draft.
#[derive(Clone, PartialEq)]
pub enum DraftPiece {
    /// The next few characters or words.
    Text(String),
    /// All that this draft has said until now was never meant to be spoken: a thought whose
    /// beginning nothing had marked.
    Retract,
    /// The writer is done.
    End {
        /// Why it stopped.
        finish: Finish,
        /// What it used.
        usage: Usage,
    },
}

/// Why a writer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It said everything.
    Complete,
    /// Its limit of words was reached.
    Length,
    /// It will not write about this.
    Refused,
    /// Nobody has said; only the text itself can tell whether it is whole.
    Unstated,
}
