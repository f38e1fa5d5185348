//! A text goes in; words, speech and a picture come out, without a network and without a key: worth
//! showing, and always marked `offline` in the record. Equal texts give equal words and pictures.

mod ascii;
mod painter;
mod seed;
mod speech;
#[cfg(test)]
mod tests;
mod words;
mod writer;

pub use painter::OfflinePainter;
pub use speech::{OfflineSpeech, VOICES};
pub use writer::OfflineWriter;

/// The name of all three in records.
const PROVIDER: &str = "offline";

/// Changes with whatever changes the words, the voice or the pictures of equal texts.
const REVISION: &str = "offline-1";
