//! A paragraph goes in; passages that a voice can say in one go come out.

use std::fmt;
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;

use crate::pace;

/// Most characters of one passage, so that a voice neither drifts nor is cut short: half a minute
/// of calm English. A passage of any script is at most as long as that in characters, and in time.
pub const MAX_PASSAGE: usize = 400;

/// The same, as long as it takes to say.
const MOST: f64 = MAX_PASSAGE as f64;
/// Steps in which a length of passages is looked for that leaves no short rest.
const LIKE_STEPS: u32 = 20;

/// A part of the sound.
#[derive(Clone, PartialEq, Eq)]
pub enum Passage {
    /// Plain text to speak, at most [`MAX_PASSAGE`] characters.
    Speech(String),
    /// Exact silence.
    Pause(Duration),
}

/// Private text never reaches a log, not even through `{:?}`.
impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speech(text) => write!(f, "Speech({} bytes)", text.len()),
            Self::Pause(length) => write!(f, "Pause({length:?})"),
        }
    }
}

/// Where a text may be cut, the best places first.
#[derive(Clone, Copy)]
enum Border {
    /// Behind a sentence, by the rules of Unicode.
    Sentence,
    /// Behind a comma, a colon, a dash. Thai, Lao, Khmer and Burmese part clauses by spaces.
    Clause,
    /// At a space.
    Space,
    /// Between what people call characters: Chinese without any punctuation has nothing else.
    Grapheme,
}

impl Border {
    fn next(self) -> Option<Self> {
        match self {
            Self::Sentence => Some(Self::Clause),
            Self::Clause => Some(Self::Space),
            Self::Space => Some(Self::Grapheme),
            Self::Grapheme => None,
        }
    }

    /// The pieces of `text` between such borders, none of them within a grapheme.
    fn pieces(self, text: &str) -> Vec<&str> {
        if matches!(self, Self::Grapheme) {
            return text.graphemes(true).collect();
        }
        let sentences: Vec<usize> = text.split_sentence_bound_indices().map(|(at, _)| at).collect();
        let mut pieces = Vec::new();
        let (mut begin, mut before) = (0, None);
        for (at, grapheme) in text.grapheme_indices(true) {
            let is_border = match self {
                Self::Sentence => sentences.binary_search(&at).is_ok(),
                Self::Clause => before.is_some_and(|c| ends_clause(c, grapheme)),
                Self::Space | Self::Grapheme => before.is_some_and(char::is_whitespace),
            };
            if is_border && at > begin {
                pieces.push(&text[begin..at]);
                begin = at;
            }
            before = grapheme.chars().next();
        }
        pieces.push(&text[begin..]);
        pieces
    }
}

/// Whether a clause ends between the character `c` and the grapheme behind it.
fn ends_clause(c: char, behind: &str) -> bool {
    let is_comma = ",;:".contains(c) && behind.starts_with(char::is_whitespace);
    let is_wide = "，、；：،؛፣፤၊—–".contains(c);
    // Thai to Lao, Burmese, Khmer.
    let parts = |c: char| matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}');
    is_comma || is_wide || (c.is_whitespace() && behind.chars().next().is_some_and(parts))
}

/// The ends of ever longer beginnings of a text, in bytes; for each kind of border, the best first.
pub(super) fn beginnings(text: &str) -> impl Iterator<Item = Vec<usize>> + '_ {
    let kinds = std::iter::successors(Some(Border::Sentence), |border| border.next());
    kinds.map(move |border| {
        let mut end = 0;
        let ends = border.pieces(text).into_iter().map(|piece| {
            end += piece.len();
            end - (piece.len() - piece.trim_end().len())
        });
        ends.filter(|end| *end > 0).collect()
    })
}

/// A text and what it takes to say it.
#[derive(Default)]
struct Measured {
    text: String,
    letters: f64,
    characters: usize,
}

impl Measured {
    fn of(text: &str) -> Self {
        let (letters, characters) = (pace::letters(text), text.chars().count());
        Self { text: text.to_owned(), letters, characters }
    }

    /// Whether a voice can say it, and `more`, in one go.
    fn fits_with(&self, more: &Self, most: f64) -> bool {
        self.letters + more.letters <= most && self.characters + more.characters <= MAX_PASSAGE
    }

    fn push(&mut self, more: &Self) {
        self.text.push_str(&more.text);
        self.letters += more.letters;
        self.characters += more.characters;
    }
}

/// Splits a paragraph into as few passages as possible, of like length.
pub(super) fn split(text: &str) -> Vec<String> {
    let fewest = packed(text, MOST);
    let mean = pace::letters(text) / fewest.len() as f64;
    // A little above the mean is enough where borders lie well; a short rest is nobody's passage.
    let like = (0..LIKE_STEPS).map(|step| mean * (1.0 + f64::from(step) / f64::from(LIKE_STEPS)));
    let mut like = like.take_while(|most| *most < MOST).map(|most| packed(text, most));
    let even = like.find(|passages| passages.len() <= fewest.len());
    let passages = even.unwrap_or(fewest).into_iter().map(|passage| passage.text.trim().to_owned());
    passages.filter(|passage| passage.contains(char::is_alphanumeric)).collect()
}

fn packed(text: &str, most: f64) -> Vec<Measured> {
    let mut passages = Vec::new();
    pack(text, Border::Sentence, most, &mut passages);
    passages
}

/// Puts the pieces of `text` behind each other while they fit; one that fits nowhere is cut at the
/// next kind of border.
fn pack(text: &str, border: Border, most: f64, passages: &mut Vec<Measured>) {
    for piece in border.pieces(text) {
        let (whole, said) = (Measured::of(piece), Measured::of(piece.trim_end()));
        match (passages.last_mut(), border.next()) {
            (Some(last), _) if last.fits_with(&said, most) => last.push(&whole),
            (_, Some(finer)) if !said.fits_with(&Measured::default(), MOST) => {
                pack(piece, finer, most, passages);
            }
            _ => passages.push(whole),
        }
    }
}
