//! What may be wrong with a text.

/// What a moderator says of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Fine,
    /// It speaks of harming oneself.
    SelfHarm,
    /// It is flagged for other reasons: their names, such as `violence`.
    Flagged(Vec<&'static str>),
}
