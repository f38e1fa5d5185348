//! Any text goes in; as much of it as a prompt can weigh comes out, cut where people see a border.

use std::fmt;

use stillcast_enqueue::{Readable, has_visible, readable};
use unicode_segmentation::UnicodeSegmentation;

/// Most characters of a source that are used: what a prompt can weigh.
pub(crate) const MAX_CHARACTERS: usize = 2_000;

/// The source's text as the writer sees it, at most 2,000 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The text; data, never an instruction.
    pub text: String,
    /// Characters left out at its end.
    pub cut: usize,
    /// Characters dropped since nobody can see or read them.
    pub dropped: usize,
}

impl SourceText {
    /// Keeps the first 2,000 characters that can be read, cut on a border between what people call
    /// characters; `None` where there is nothing to see.
    pub fn cap(text: &str) -> Option<Self> {
        let Readable { text, dropped } = readable(text);
        let (kept, cut) = clip(text.trim(), MAX_CHARACTERS);
        has_visible(kept).then(|| Self { text: kept.to_owned(), cut, dropped })
    }
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceText({} bytes, {} characters cut)", self.text.len(), self.cut)
    }
}

/// The first `most` characters of `text`, cut between what people call characters, and how many
/// were cut.
pub(crate) fn clip(text: &str, most: usize) -> (&str, usize) {
    let (mut kept, mut bytes) = (0, 0);
    for grapheme in text.graphemes(true) {
        kept += grapheme.chars().count();
        if kept > most {
            break;
        }
        bytes += grapheme.len();
    }
    (&text[..bytes], text[bytes..].chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_graphemes_and_the_cut_is_noted() {
        let family = "👨‍👩‍👧‍👦"; // one grapheme of seven characters
        let text = family.repeat(300);
        let capped = SourceText::cap(&text).unwrap();
        assert_eq!(capped.text.chars().count(), 285 * 7);
        assert_eq!(capped.cut, 15 * 7);
        let short = SourceText { text: "short".into(), cut: 0, dropped: 0 };
        assert_eq!(SourceText::cap("  short \n"), Some(short));
        assert_eq!(SourceText::cap(&"a".repeat(2_000)).unwrap().cut, 0);
        assert_eq!(SourceText::cap(&"a".repeat(2_001)).unwrap().cut, 1);
    }

    #[test]
    fn what_nobody_can_read_takes_no_room_and_a_text_of_it_is_none() {
        let text = format!("\u{feff}{}\0\u{202e}", "a".repeat(2_000));
        let kept = SourceText { text: "a".repeat(2_000), cut: 0, dropped: 3 };
        assert_eq!(SourceText::cap(&text), Some(kept));
        for blank in ["", " \n", "\u{200b}\u{feff}", "\0\u{1b}[31m", "\u{202e}\u{3164}\u{2800}"] {
            assert_eq!(SourceText::cap(blank), None, "{blank:?}");
        }
    }

    #[test]
    fn debug_output_holds_no_text() {
        assert!(!format!("{:?}", SourceText::cap("secret")).contains("secret"));
    }
}
