//! What all three have in common: the revision, of which the keys of results are made.

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
