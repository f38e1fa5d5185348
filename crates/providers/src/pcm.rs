//! Little-endian 16-bit samples go in; speech comes out.

use pipeline::{Speech, sound};

/// Ten minutes of mono samples at [`sound::RATE`]; a passage is half a minute.
pub(crate) const MAX_SAMPLES: usize = 10 * 60 * sound::RATE as usize;
/// The same in bytes.
pub(crate) const MAX_BYTES: usize = MAX_SAMPLES * 2;

/// The samples of `bytes`; half a sample at the end is left out.
pub(crate) fn speech(bytes: &[u8]) -> Speech {
    let sample = |pair: &[u8]| i16::from_le_bytes([pair[0], pair[1]]);
    Speech { samples: bytes.chunks_exact(2).map(sample).collect() }
}
