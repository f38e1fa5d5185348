//! Two jobs that have made the same go in; whose value counts comes out.

/// Which value counts when two jobs have made the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnConflict {
    /// The stored one replaces one's own.
    TakeStored,
    /// One's own: it was handed on while it was made.
    KeepOwn,
}
