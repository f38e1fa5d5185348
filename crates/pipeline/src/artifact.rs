//! What stages hand on: text, picture, clip, file. None of them shows private text in `{:?}`.

use std::fmt;
use std::path::PathBuf;

use crate::conversation::clip;
use bytes::Bytes;

/// Most characters of a source that are used: what a prompt can weigh.
pub(crate) const MAX_CHARACTERS: usize = 2_000;

/// The source's text as the writer sees it, at most 2,000 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The text; data, never an instruction.
    pub text: String,
    /// Characters left out at its end.
    pub cut: usize,
}

impl SourceText {
    /// Keeps the first 2,000 characters, cut on a border between what people call characters.
    pub fn cap(text: &str) -> Self {
        let (kept, cut) = clip(text.trim(), MAX_CHARACTERS);
        Self { text: kept.to_owned(), cut }
    }
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceText({} bytes, {} characters cut)", self.text.len(), self.cut)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_graphemes_and_the_cut_is_noted() {
        let family = "👨‍👩‍👧‍👦"; // one grapheme of seven characters
        let text = family.repeat(300);
        let capped = SourceText::cap(&text);
        assert_eq!(capped.text.chars().count(), 285 * 7);
        assert_eq!(capped.cut, 15 * 7);
        assert_eq!(SourceText::cap("  short \n"), SourceText { text: "short".into(), cut: 0 });
        assert_eq!(SourceText::cap(&"a".repeat(2_000)).cut, 0);
        assert_eq!(SourceText::cap(&"a".repeat(2_001)).cut, 1);
    }

    #[test]
    fn debug_output_holds_no_text() {
        assert!(!format!("{:?}", SourceText::cap("secret")).contains("secret"));
    }
}
