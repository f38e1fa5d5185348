//! The first bytes of an answer go in; the kind of file that they begin comes out.
//!
//! Raw samples begin with any bytes. Two bytes prove nothing, so MPEG's frames must follow each
//! other, and a box or a page must be of a known kind.

use super::frames::{self, Stream};

/// A file of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// RIFF, RIFX or RF64.
    Wav,
    Wave64,
    Flac,
    Ogg,
    /// MPEG audio of any layer.
    Mp3,
    /// AAC in a stream of frames.
    Adts,
    /// MP4, M4A, MOV; whole or in fragments.
    Mp4,
    /// `WebM` and Matroska.
    Matroska,
    Aiff,
    Au,
    Caf,
}

impl Container {
    /// What `bytes` begin; `None` for raw samples and for what is no sound.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'R', b'I', b'F', b'F' | b'X', ..] | [b'R', b'F' | b'W', b'6', b'4', ..]
                if bytes.get(8..12) == Some(b"WAVE") =>
            {
                Some(Self::Wav)
            }
            [b'B', b'W', b'6', b'4', ..] if bytes.get(8..12) == Some(b"WAVE") => Some(Self::Wav),
            [b'r', b'i', b'f', b'f', 0x2e, 0x91, 0xcf, 0x11, ..] => Some(Self::Wave64),
            [b'f', b'L', b'a', b'C', ..] => Some(Self::Flac),
            [b'O', b'g', b'g', b'S', 0, ..] => Some(Self::Ogg),
            [b'I', b'D', b'3', 2..=4, ..] => Some(tagged(bytes)),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Self::Matroska),
            [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => {
                Some(Self::Aiff)
            }
            [b'.', b's', b'n', b'd', 0, 0, ..] => Some(Self::Au),
            [b'c', b'a', b'f', b'f', 0, 1, ..] => Some(Self::Caf),
            [_, _, _, _, b'f' | b's', b't', b'y', b'p', ..]
            | [_, _, _, _, b'm', b'o', b'o', b'v' | b'f', ..] => Some(Self::Mp4),
            _ => framed(bytes),
        }
    }

    /// The one demuxer that may read it.
    pub(crate) fn demuxer(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Wave64 => "w64",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Mp3 => "mp3",
            Self::Adts => "aac",
            Self::Mp4 => "mov",
            Self::Matroska => "matroska",
            Self::Aiff => "aiff",
            Self::Au => "au",
            Self::Caf => "caf",
        }
    }
}

/// A tag is no sound: AAC streams carry one, too.
fn tagged(bytes: &[u8]) -> Container {
    match frames::first(&bytes[frames::tag(bytes).min(bytes.len())..]) {
        Some((Stream::Adts, _)) => Container::Adts,
        _ => Container::Mp3,
    }
}

fn framed(bytes: &[u8]) -> Option<Container> {
    match frames::first(bytes)? {
        (Stream::Adts, _) => Some(Container::Adts),
        (Stream::Mpeg, _) => Some(Container::Mp3),
    }
}
