//! What all three have in common: one revision, of which the keys of results are made, and one way
//! to draw chance from a text.

use pipeline::{ImageGenerator, SpeechSynthesizer, TranscriptWriter};

use super::*;

/// Changed, they let a running fleet write, speak and draw again all that it has.
#[test]
fn the_revision_is_one_word_for_all_three() {
    let revisions = [
        OfflineWriter.revision(),
        OfflineSpeech::new("ffmpeg").revision(),
        OfflinePainter.revision(),
    ];
    assert_eq!(revisions, ["offline-1"; 3]);
}

/// Another seed is another text and another picture under the same revision.
#[test]
fn a_seed_is_the_same_on_every_machine() {
    assert_eq!(seed("image", "by the sea", 1), 16_417_163_709_364_784_527);
}
