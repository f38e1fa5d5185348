//! Why bytes are no speech that can be read.

/// The longest speech that is read: ten minutes in stereo at 48 kHz, some of it twice as wide.
pub(crate) const MAX_BYTES: usize = 128 << 20;
/// Why bytes are no speech.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Nothing that was ever sound: a page, a sentence.
    #[error("the answer is no sound")]
    NotSound,
    /// It was sound and ends too early: an accident once, the set-up's fault twice.
    #[error("the speech was cut short")]
    Cut,
    /// Sound, but no voice that can be read: each answer of this set-up will be the same.
    #[error("{0}")]
    Format(&'static str),
}
