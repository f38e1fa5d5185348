//! A paragraph goes in; passages that a voice can say in one go come out.

use std::cell::OnceCell;
use std::fmt;
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;

use crate::pace;
use crate::spoken::goes_on;

/// Most characters of one passage, so that a voice neither drifts nor is cut short: half a minute
/// of calm English. A passage of any script is at most as long as that in characters, and in time.
pub const MAX_PASSAGE: usize = 400;

/// The same, as long as it takes to say.
const MOST: f64 = MAX_PASSAGE as f64;
/// Fewest letters of a sentence that is said apart.
const LEAST: f64 = 30.0;
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
pub(super) enum Border {
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
    pub(super) fn pieces(self, text: &str) -> Vec<&str> {
        if matches!(self, Self::Grapheme) {
            return text.graphemes(true).collect();
        }
        let sentences: Vec<usize> = text.split_sentence_bound_indices().map(|(at, _)| at).collect();
        let mut pieces = Vec::new();
        let (mut begin, mut before) = (0, None);
        for (at, grapheme) in text.grapheme_indices(true) {
            let is_border = match self {
                Self::Sentence => {
                    sentences.binary_search(&at).is_ok() && !goes_on(&text[begin..at], &text[at..])
                }
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
pub(super) fn ends_clause(c: char, behind: &str) -> bool {
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

/// What it takes to say a text.
#[derive(Clone, Copy, Default)]
struct Size {
    letters: f64,
    characters: usize,
}

impl Size {
    fn of(text: &str) -> Self {
        Self { letters: pace::letters(text), characters: text.chars().count() }
    }

    fn and(self, more: Self) -> Self {
        Self { letters: self.letters + more.letters, characters: self.characters + more.characters }
    }

    /// Whether a voice can say it in one go of at most `most` letters.
    fn fits(self, most: f64) -> bool {
        self.letters <= most && self.characters <= MAX_PASSAGE
    }
}

/// A piece between two borders. It is measured and cut once, however often passages are tried.
struct Piece<'text> {
    text: &'text str,
    whole: Size,
    /// Without the space at its end.
    said: Size,
    border: Border,
    finer: OnceCell<Vec<Self>>,
}

impl<'text> Piece<'text> {
    fn all(text: &'text str, border: Border) -> Vec<Self> {
        border.pieces(text).into_iter().map(|piece| Self::new(piece, border)).collect()
    }

    fn new(text: &'text str, border: Border) -> Self {
        let (whole, trimmed) = (Size::of(text), text.trim_end());
        let said = if trimmed.len() == text.len() { whole } else { Size::of(trimmed) };
        Self { text, whole, said, border, finer: OnceCell::new() }
    }

    /// Its pieces at the next kind of border; none behind the last kind.
    fn finer(&self) -> Option<&[Self]> {
        let next = self.border.next()?;
        Some(self.finer.get_or_init(|| Self::all(self.text, next)))
    }
}

/// Pieces that are said in one go.
#[derive(Default)]
struct Packed {
    text: String,
    size: Size,
}

impl Packed {
    fn push(&mut self, piece: &Piece<'_>) {
        self.text.push_str(piece.text);
        self.size = self.size.and(piece.whole);
    }
}

/// Splits a paragraph into as few passages as possible, of like length.
pub(super) fn split(text: &str) -> Vec<String> {
    let pieces = Piece::all(text, Border::Sentence);
    let fewest = packed(&pieces, MOST);
    let mean = pace::letters(text) / fewest.len() as f64;
    // A little above the mean is enough where borders lie well; a short rest is nobody's passage.
    let like = (0..LIKE_STEPS).map(|step| mean * (1.0 + f64::from(step) / f64::from(LIKE_STEPS)));
    let mut like = like.take_while(|most| *most < MOST).map(|most| packed(&pieces, most));
    let even = like.find(|passages| passages.len() <= fewest.len());
    let passages = even.unwrap_or(fewest).into_iter().map(|passage| passage.text.trim().to_owned());
    passages.filter(|passage| passage.contains(char::is_alphanumeric)).collect()
}

/// The first sentence of a passage, and what is left of it; `None` where either is so short that a voice would
/// have no steady pace, by which it is judged.
pub(crate) fn first_apart(text: &str) -> Option<(&str, &str)> {
    let first = *Border::Sentence.pieces(text).first()?;
    let parts = (first.trim(), text.get(first.len()..)?.trim());
    (pace::letters(parts.0) >= LEAST && pace::letters(parts.1) >= LEAST).then_some(parts)
}

fn packed(pieces: &[Piece<'_>], most: f64) -> Vec<Packed> {
    let mut passages = Vec::new();
    pack(pieces, most, &mut passages);
    passages
}

/// Puts pieces behind each other while they fit; one that fits nowhere is cut at the next kind of
/// border.
fn pack(pieces: &[Piece<'_>], most: f64, passages: &mut Vec<Packed>) {
    for piece in pieces {
        if let Some(last) = passages.last_mut().filter(|last| last.size.and(piece.said).fits(most))
        {
            last.push(piece);
        } else if let Some(finer) =
            Some(piece).filter(|piece| !piece.said.fits(MOST)).and_then(Piece::finer)
        {
            pack(finer, most, passages);
        } else {
            let mut next = Packed::default();
            next.push(piece);
            passages.push(next);
        }
    }
}
