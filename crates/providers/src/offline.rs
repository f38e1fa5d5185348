//! A writer, a voice and a painter that need no network and no key: worth showing, and always
//! marked `offline` in the record. Equal texts give equal words and pictures.

mod ascii;
mod painter;
mod speech;
mod words;
mod writer;

pub use painter::OfflinePainter;
pub use speech::{OfflineSpeech, VOICES};
pub use writer::OfflineWriter;

use sha2::{Digest, Sha256};

/// The name of all three in records.
const PROVIDER: &str = "offline";

/// Changes with whatever changes the words, the voice or the pictures of equal texts.
const REVISION: &str = "offline-1";

/// A seed that text, variant and purpose decide.
fn seed(purpose: &str, text: &str, variant: u32) -> u64 {
    let digest = Sha256::new()
        .chain_update(purpose)
        .chain_update(variant.to_be_bytes())
        .chain_update(text)
        .finalize();
    let first = digest.first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests;
