//! A text as somebody sent it goes in; what can be seen or read of it comes out, and how many
//! characters could not. The one rule for it: a producer asks whether anything is visible, a worker
//! drops what is not before any provider is told the text.

mod context;
mod escapes;

/// A text without what nobody can see or read.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Readable {
    /// The text; lines end with `\n`.
    pub text: String,
    /// Characters that were dropped. An end of line in another spelling is none.
    pub dropped: usize,
}

/// Private text never reaches a log, not even through `{:?}`.
impl std::fmt::Debug for Readable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Readable({} bytes, {} characters dropped)", self.text.len(), self.dropped)
    }
}

/// Drops what means nothing to a reader:
///
/// - control characters except tab and end of line, a terminal's escape sequences as a whole;
/// - embeddings, overrides and isolates of direction that are not paired within their line;
/// - characters of no width: byte order mark, zero-width space, word joiner, soft hyphen, fillers,
///   deprecated format characters, noncharacters, tags outside of a flag;
/// - joiners and variation selectors, except where a script or an emoji needs them.
pub fn readable(text: &str) -> Readable {
    let lines = escapes::end_lines(text);
    let before = lines.chars().count();
    let legible: Vec<char> =
        escapes::without(&lines).into_iter().filter(|c| !is_junk(*c)).collect();
    let text: String = context::meaningful(&context::paired(&legible)).into_iter().collect();
    let dropped = before - text.chars().count();
    Readable { text, dropped }
}

/// Whether there is anything to see in `text`: a letter, a digit, a sign. A text without is empty,
/// however long it is.
pub fn has_visible(text: &str) -> bool {
    // Most texts begin with a letter: what follows cannot take it away.
    let begin = text.chars().take_while(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    let is_letter = |c: char| c.is_alphanumeric() && !is_junk(c) && !is_blank(c);
    begin.into_iter().any(is_letter) || is_any_visible(text)
}

fn is_any_visible(text: &str) -> bool {
    readable(text).text.chars().any(|c| !c.is_whitespace() && !is_blank(c))
}

/// Without a width and without a meaning, wherever it stands.
fn is_junk(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        // The last two code points of each plane are no characters.
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c,
            '\u{ad}'                      // soft hyphen
            | '\u{180e}'                  // Mongolian vowel separator
            | '\u{200b}'                  // zero-width space
            | '\u{2060}'..='\u{2065}'     // word joiner, invisible operators
            | '\u{206a}'..='\u{206f}'     // deprecated format characters
            | '\u{3164}' | '\u{ffa0}'     // Hangul fillers, which are blank letters
            | '\u{fdd0}'..='\u{fdef}'     // noncharacters
            | '\u{feff}'                  // byte order mark
            | '\u{fff0}'..='\u{fffb}'     // unassigned, and annotations
            | '\u{1bca0}'..='\u{1bca3}'   // shorthand controls
            | '\u{1d173}'..='\u{1d17a}'   // musical controls
            | '\u{e0000}'..='\u{e001f}'   // language tag
            | '\u{e0080}'..='\u{e00ff}'   // unassigned
            | '\u{e01f0}'..='\u{e0fff}') // unassigned
}

/// Kept for what it does to its neighbours, and alone nothing to see.
fn is_blank(c: char) -> bool {
    matches!(c,
        '\u{34f}'                         // combining grapheme joiner
        | '\u{61c}' | '\u{200c}'..='\u{200f}' // marks of direction, joiners
        | '\u{115f}' | '\u{1160}'         // fillers of old Hangul
        | '\u{17b4}' | '\u{17b5}'         // inherent vowels of Khmer
        | '\u{180b}'..='\u{180f}'         // Mongolian variation selectors
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // directions
        | '\u{2800}'                      // a pattern of Braille without dots
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' // variation selectors
        | '\u{e0020}'..='\u{e007f}') // tags
}

#[cfg(test)]
mod tests;
