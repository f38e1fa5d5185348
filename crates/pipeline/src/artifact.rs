//! What stages hand on: picture, speech, clip, file. None of them shows its content in `{:?}`.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;

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
