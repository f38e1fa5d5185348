//! What stages hand on: picture, speech, clip, file. None of them shows its content in `{:?}`.

use std::fmt;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};

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
}

/// A finished file, not yet delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// Where it lies, in the attempt's scratch folder.
    pub path: PathBuf,
    /// Playing time in seconds.
    pub duration_s: f64,
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
