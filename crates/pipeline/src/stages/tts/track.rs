//! A whole sound as bytes: its samples, and behind them one line with the length of each speech, so
//! that whoever finds it knows what is said when.
//!
//! An older version kept the samples alone, and takes any even number of bytes for them. So the line
//! makes the number odd.

use bytes::{Bytes, BytesMut};

use crate::artifact::Piece;
use crate::spool::Spooled;
use crate::{Passage, ProviderError, sound};

const MAGIC: &str = "stillcast-track-1";

/// What stands for the lengths where the sound is too long to be kept in one object.
const IN_PASSAGES: &str = " passages";
/// The longest sound that is one object: somewhat less than six minutes. Whoever finds it has all of it in
/// memory.
const MOST: usize = 16 << 20;

/// A whole sound.
pub(super) async fn pack(pieces: Vec<Piece<Spooled>>) -> Result<Bytes, ProviderError> {
    let bytes = 2 * pieces.iter().map(Piece::samples).sum::<usize>();
    if bytes > MOST {
        return Ok(finish(BytesMut::new(), IN_PASSAGES));
    }
    let (mut pcm, mut lengths) = (BytesMut::with_capacity(bytes + 1_024), String::new());
    for piece in pieces {
        match piece.load().await? {
            Piece::Speech { text: _, pcm: speech } => {
                pcm.extend_from_slice(&speech);
                lengths.extend([" ", &speech.len().to_string()]);
            }
            Piece::Pause(length) => pcm.extend_from_slice(&sound::silence(length)),
        }
    }
    Ok(finish(pcm, &lengths))
}

/// The line behind the samples.
fn finish(mut pcm: BytesMut, lengths: &str) -> Bytes {
    let line = format!("\n{MAGIC}{lengths}");
    let is_odd = (pcm.len() + line.len()).is_multiple_of(2);
    pcm.extend_from_slice(line.as_bytes());
    pcm.extend_from_slice(if is_odd { b"\n" } else { b" \n" });
    pcm.freeze()
}

/// Whether the sound is kept in its passages alone.
pub(super) fn is_in_passages(track: &Bytes) -> bool {
    *track == finish(BytesMut::new(), IN_PASSAGES)
}

/// The pieces of a packed sound of `passages`; `None` where it is not theirs.
pub(super) fn unpack(track: &Bytes, passages: &[Passage]) -> Option<Vec<Piece<Bytes>>> {
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

    fn pieces(lengths: [usize; 2]) -> Vec<Piece<Bytes>> {
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

    async fn packed(pieces: &[Piece<Bytes>]) -> Bytes {
        pack(pieces.iter().cloned().map(Piece::held).collect()).await.unwrap()
    }

    #[tokio::test]
    async fn a_sound_comes_out_in_the_pieces_of_which_it_was_made_and_no_older_version_takes_it() {
        for lengths in [[4, 6], [1_000, 20], [2, 123_456]] {
            let pieces = pieces(lengths);
            let track = packed(&pieces).await;
            assert!(!track.len().is_multiple_of(2), "{lengths:?}");
            assert!(!is_in_passages(&track));
            assert_eq!(unpack(&track, &passages()), Some(pieces));
        }
    }

    /// Nobody has an hour in memory at once; what stands for it is no sound to any version.
    #[tokio::test]
    async fn a_long_sound_is_kept_in_its_passages() {
        let pause = 2 * sound::sample_count(Duration::from_millis(250));
        let most = packed(&pieces([MOST / 2, MOST / 2 - pause])).await;
        assert!(!is_in_passages(&most) && most.len() > MOST);
        let more = packed(&pieces([MOST / 2, MOST / 2 - pause + 2])).await;
        assert!(is_in_passages(&more) && more.len() < 100 && !more.len().is_multiple_of(2));
        assert_eq!(unpack(&more, &passages()), None);
    }

    #[tokio::test]
    async fn samples_alone_and_the_sound_of_other_words_are_none() {
        let track = packed(&pieces([4, 6])).await;
        assert_eq!(unpack(&track, &passages()[..2]), None);
        assert_eq!(unpack(&track, &[passages(), passages()].concat()), None);
        assert_eq!(unpack(&track.slice(2..), &passages()), None);
        assert_eq!(unpack(&track.slice(..track.len() - 1), &passages()), None);
        assert_eq!(unpack(&Bytes::from(vec![0; 48_000]), &passages()), None);
        assert_eq!(unpack(&Bytes::new(), &passages()), None);
    }
}
