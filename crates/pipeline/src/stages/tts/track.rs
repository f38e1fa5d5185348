//! A whole sound as bytes: its samples, and behind them one line with the length of each speech, so
//! that whoever finds it knows what is said when.
//!
//! An older version kept the samples alone, and takes any even number of bytes for them. So the line
//! makes the number odd.

use bytes::{Bytes, BytesMut};

use crate::artifact::Piece;
use crate::{Passage, sound};

const MAGIC: &str = "stillcast-track-1";

/// A sound under construction.
#[derive(Default)]
pub(super) struct TrackWriter {
    pcm: BytesMut,
    lengths: String,
}

impl TrackWriter {
    /// Adds what is heard next.
    pub(super) fn push(&mut self, piece: &Piece) {
        match piece {
            Piece::Speech { text: _, pcm } => {
                self.pcm.extend_from_slice(pcm);
                self.lengths.extend([" ", &pcm.len().to_string()]);
            }
            Piece::Pause(length) => self.pcm.extend_from_slice(&sound::silence(*length)),
        }
    }

    /// The whole.
    pub(super) fn pack(mut self) -> Bytes {
        let line = format!("\n{MAGIC}{}", self.lengths);
        let is_odd = (self.pcm.len() + line.len()).is_multiple_of(2);
        self.pcm.extend_from_slice(line.as_bytes());
        self.pcm.extend_from_slice(if is_odd { b"\n" } else { b" \n" });
        self.pcm.freeze()
    }
}

/// The pieces of a packed sound of `passages`; `None` where it is not theirs.
pub(super) fn unpack(track: &Bytes, passages: &[Passage]) -> Option<Vec<Piece>> {
    let line = track.strip_suffix(b"\n")?;
    let border = line.iter().rposition(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(line.get(border + 1..)?).ok()?;
    let mut lengths = line.strip_prefix(MAGIC)?.split_ascii_whitespace().map(str::parse::<usize>);
    let mut pcm = track.slice(..border);
    let mut pieces = Vec::new();
    for passage in passages {
        let (length, piece) = match passage {
            Passage::Pause(length) => (sound::silence(*length).len(), Piece::Pause(*length)),
            Passage::Speech(text) => {
                let length = lengths.next()?.ok().filter(|length| *length <= pcm.len())?;
                (length, Piece::Speech { text: text.clone(), pcm: pcm.slice(..length) })
            }
        };
        pcm = (length <= pcm.len()).then(|| pcm.slice(length..))?;
        pieces.push(piece);
    }
    (pcm.is_empty() && lengths.next().is_none()).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn passages() -> Vec<Passage> {
        let speech = |text: &str| Passage::Speech(text.to_owned());
        let pause = Passage::Pause(Duration::from_millis(250));
        vec![speech("Breathe in."), pause, speech("Breathe out.")]
    }

    fn pieces(lengths: [usize; 2]) -> Vec<Piece> {
        let mut lengths = lengths.into_iter();
        let piece = |passage| match passage {
            Passage::Pause(length) => Piece::Pause(length),
            Passage::Speech(text) => {
                // Each byte of it is a line's end.
                Piece::Speech { text, pcm: vec![b'\n'; lengths.next().unwrap()].into() }
            }
        };
        passages().into_iter().map(piece).collect()
    }

    #[test]
    fn a_sound_comes_out_in_the_pieces_of_which_it_was_made_and_no_older_version_takes_it() {
        for lengths in [[4, 6], [1_000, 20], [2, 123_456]] {
            let pieces = pieces(lengths);
            let mut writer = TrackWriter::default();
            for piece in &pieces {
                writer.push(piece);
            }
            let track = writer.pack();
            assert!(!track.len().is_multiple_of(2), "{lengths:?}");
            assert_eq!(unpack(&track, &passages()), Some(pieces));
        }
    }

    #[test]
    fn samples_alone_and_the_sound_of_other_words_are_none() {
        let mut writer = TrackWriter::default();
        for piece in &pieces([4, 6]) {
            writer.push(piece);
        }
        let track = writer.pack();
        assert_eq!(unpack(&track, &passages()[..2]), None);
        assert_eq!(unpack(&track, &[passages(), passages()].concat()), None);
        assert_eq!(unpack(&track.slice(2..), &passages()), None);
        assert_eq!(unpack(&track.slice(..track.len() - 1), &passages()), None);
        assert_eq!(unpack(&Bytes::from(vec![0; 48_000]), &passages()), None);
        assert_eq!(unpack(&Bytes::new(), &passages()), None);
    }
}
