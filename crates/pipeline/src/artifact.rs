//! What stages hand on: picture, speech, clip, file. None of them shows its content in `{:?}`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use stillcast_enqueue::Container;

use crate::sound::sample_count;

/// A picture, as PNG or JPEG.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// The file's bytes, as the painter gave them; [`Image::inspect`] judges them.
    pub bytes: Bytes,
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({} bytes)", self.bytes.len())
    }
}

/// A picture rendered once as a short clip that repeats without an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// Where it lies, in the attempt's scratch folder.
    pub path: PathBuf,
    /// The picture itself, as it is delivered beside the file.
    pub extras: Vec<Beside>,
}

/// A finished file, not yet delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// Where it lies, in the attempt's scratch folder.
    pub path: PathBuf,
    /// What it is packed as.
    pub container: Container,
    /// Playing time in seconds.
    pub duration_s: f64,
    /// What is delivered beside it.
    pub extras: Vec<Beside>,
}

/// A file that is delivered beside the finished one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// What it is.
    pub extra: Extra,
    /// Where it lies, in the attempt's scratch folder.
    pub path: PathBuf,
}

/// What may lie beside a finished file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Extra {
    /// What is said when, as `WebVTT`: sentences, and words within them.
    Vtt,
    /// The same as `SubRip`: sentences.
    Srt,
    /// Chapters, as one writes them below a film.
    Chapters,
    /// The voice without the bed.
    Voice,
    /// The bed without the voice.
    Bed,
    /// A film's picture, as large as the film.
    Poster,
    /// The middle of it, square.
    Cover,
}

impl Extra {
    /// Its name in records and at the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vtt => "captions.vtt",
            Self::Srt => "captions.srt",
            Self::Chapters => "chapters.txt",
            Self::Voice => "voice.m4a",
            Self::Bed => "bed.m4a",
            Self::Poster => "poster.jpg",
            Self::Cover => "cover.jpg",
        }
    }

    /// The ending of its key.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Vtt => "vtt",
            Self::Srt => "srt",
            Self::Chapters => "txt",
            Self::Voice | Self::Bed => "m4a",
            Self::Poster | Self::Cover => "jpg",
        }
    }

    /// Its name without the ending.
    pub(crate) fn stem(self) -> &'static str {
        let name = self.name();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Vtt => "text/vtt; charset=utf-8",
            Self::Srt => "application/x-subrip",
            Self::Chapters => "text/plain; charset=utf-8",
            Self::Voice | Self::Bed => "audio/mp4",
            Self::Poster | Self::Cover => "image/jpeg",
        }
    }
}

/// A part of the sound, in the order in which it is heard. Its samples wait somewhere (`S`) until they are
/// encoded.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Piece<S> {
    /// Words, and how they sound.
    Speech {
        /// What is said.
        text: String,
        /// Finished sound, as [`crate::sound::finish`] makes it.
        pcm: S,
    },
    /// Exact silence.
    Pause(Duration),
}

/// Sound, in memory or elsewhere.
pub(crate) trait Samples {
    /// How long it is.
    fn samples(&self) -> usize;
}

impl Samples for Bytes {
    fn samples(&self) -> usize {
        self.len() / 2
    }
}

impl<S: Samples> Piece<S> {
    /// How long it is.
    pub(crate) fn samples(&self) -> usize {
        match self {
            Self::Speech { text: _, pcm } => pcm.samples(),
            Self::Pause(length) => sample_count(*length),
        }
    }
}

impl<S: Samples> fmt::Debug for Piece<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speech { text, pcm } => {
                write!(f, "Speech({} samples of {} bytes)", pcm.samples(), text.len())
            }
            Self::Pause(length) => write!(f, "Pause({length:?})"),
        }
    }
}

/// What a voice has answered, as it came. It is kept before anything is made of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recording {
    /// The answer's body.
    pub bytes: Bytes,
    /// What was said of it: a media type, or nothing.
    pub media_type: String,
    /// Bought just now, and not read from a checkpoint.
    pub is_new: bool,
}

impl Recording {
    /// A line with the media type, and the bytes.
    pub(crate) fn pack(&self) -> Bytes {
        let mut packed = BytesMut::with_capacity(self.media_type.len() + 1 + self.bytes.len());
        packed.extend_from_slice(self.media_type.replace('\n', " ").as_bytes());
        packed.extend_from_slice(b"\n");
        packed.extend_from_slice(&self.bytes);
        packed.freeze()
    }

    /// What [`Recording::pack`] has made.
    pub(crate) fn unpack(packed: &Bytes) -> Option<Self> {
        let border = packed.iter().position(|byte| *byte == b'\n')?;
        let media_type = std::str::from_utf8(packed.get(..border)?).ok()?.to_owned();
        Some(Self { bytes: packed.slice(border + 1..), media_type, is_new: false })
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({} bytes, {:?})", self.bytes.len(), self.media_type)
    }
}

/// Spoken samples: mono, [`crate::sound::RATE`], s16.
#[derive(Clone, PartialEq, Eq)]
pub struct Speech {
    /// The samples, as the provider gave them: neither trimmed nor levelled.
    pub samples: Vec<i16>,
}

impl fmt::Debug for Speech {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Speech({} samples)", self.samples.len())
    }
}
