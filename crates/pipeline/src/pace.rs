//! A text goes in; how long it takes to say comes out, whatever its script. The one place that
//! knows paces: how many words a text is worth, how long a passage may be, and how long its sound
//! must be.
//!
//! All is measured in what an English voice would say meanwhile. A script that parts words by
//! spaces, and writes most of its sounds, is counted by words; every other one by its own units,
//! graphemes, each worth the part of an English word that takes as long. A text in several scripts
//! is measured by its runs.

use std::ops::RangeInclusive;

use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

/// Words of a whole transcript: three to four minutes of calm speech.
pub const WORDS: RangeInclusive<usize> = 400..=500;

/// English words a minute, read aloud. Trauzettel-Klosinski and others 2012 (`IReST`, 17 languages,
/// `10.1167/iovs.11-8284`), as all numbers below that name no other source.
const ENGLISH_WORDS: f64 = 228.0;
/// English letters a minute, the same.
const ENGLISH_LETTERS: f64 = 987.0;
/// How a script is read aloud.
#[derive(PartialEq)]
struct Pace {
    /// Its units read in a minute at an ordinary pace; `None` where words are counted.
    units: Option<f64>,
    /// What people call its units.
    unit: &'static str,
    /// Whether it parts words by spaces, which weigh something too.
    is_spaced: bool,
}

impl Pace {
    /// Characters of English that take as long to say as one unit.
    fn weight(&self) -> f64 {
        let spaces = if self.is_spaced { 0.0 } else { ENGLISH_WORDS };
        self.units.map_or(1.0, |minute| (ENGLISH_LETTERS + spaces) / minute)
    }
}

/// Words between spaces, most sounds written. Russian has 184 words a minute, Finnish 161, Spanish
/// 218: nearer to English than any count of letters.
const ALPHABET: Pace = Pace { units: None, unit: "words", is_spaced: true };
/// Chinese: 255 characters a minute.
const HAN: Pace = Pace { units: Some(255.0), unit: "characters", is_spaced: false };
/// Japanese: 357 characters a minute, of which a third are Han at 255: kana are read at
/// 0.65 / (1 / 357 − 0.35 / 255).
const KANA: Pace = Pace { units: Some(455.0), unit: "characters", is_spaced: false };
/// Both together.
const JAPANESE: Pace = Pace { units: Some(357.0), unit: "characters", is_spaced: false };
/// Korean: one block is one syllable. 7 syllables a second in Coupé and others 2019
/// (`10.1126/sciadv.aaw2594`), who leave out pauses; with them, as `IReST` does, 0.83 of it: the part
/// that Mandarin has (255 a minute against 5.18 a second in Pellegrino and others 2011).
const HANGUL: Pace = Pace { units: Some(350.0), unit: "syllables", is_spaced: true };
/// Thai: 4.7 syllables a second in Coupé and others 2019, 0.83 of it with pauses, and 2.6 graphemes
/// a syllable, since most vowels have a place of their own. Lao writes alike.
const THAI: Pace = Pace { units: Some(610.0), unit: "characters", is_spaced: false };
/// No study known. Khmer and Burmese write a syllable in 1.4 to 1.8 graphemes, and are spoken as
/// other languages with short words are, some 5 syllables a second without pauses.
const KHMER: Pace = Pace { units: Some(400.0), unit: "characters", is_spaced: false };
/// Arabic: 612 letters a minute, 138 words. Short vowels are not written, and what English says in
/// two words is often one.
const ARABIC: Pace = Pace { units: Some(612.0), unit: "letters", is_spaced: true };
/// Hebrew: 833 letters a minute, 187 words; vowels are not written either.
const HEBREW: Pace = Pace { units: Some(833.0), unit: "letters", is_spaced: true };
/// The scripts of India, Ethiopic, Tibetan: a grapheme is about a syllable. 370 syllables a minute
/// are the mean of 17 languages in `IReST`; a final consonant is a grapheme too, so a few more.
const SYLLABLES: Pace = Pace { units: Some(390.0), unit: "syllables", is_spaced: true };

fn pace(c: char) -> &'static Pace {
    if c.is_ascii() {
        return &ALPHABET;
    }
    match c.script() {
        // A long vowel is written alike in both kana.
        Script::Common if c == 'ー' => &KANA,
        Script::Han | Script::Bopomofo | Script::Yi => &HAN,
        Script::Hiragana | Script::Katakana => &KANA,
        Script::Hangul => &HANGUL,
        Script::Thai | Script::Lao => &THAI,
        Script::Khmer | Script::Myanmar | Script::New_Tai_Lue | Script::Tai_Tham => &KHMER,
        Script::Arabic | Script::Syriac | Script::Thaana => &ARABIC,
        Script::Hebrew => &HEBREW,
        Script::Devanagari
        | Script::Bengali
        | Script::Gurmukhi
        | Script::Gujarati
        | Script::Oriya
        | Script::Tamil
        | Script::Telugu
        | Script::Kannada
        | Script::Malayalam
        | Script::Sinhala
        | Script::Tibetan
        | Script::Ethiopic => &SYLLABLES,
        _ => &ALPHABET,
    }
}

/// The paces of the units in a text, one by one.
fn units(text: &str) -> impl Iterator<Item = &'static Pace> + '_ {
    let letters = text.graphemes(true).filter_map(|grapheme| grapheme.chars().next());
    letters.filter(|c| c.is_alphanumeric()).map(pace)
}

/// Whether the script of `c` parts words by blanks.
pub(crate) fn is_spaced(c: char) -> bool {
    pace(c).is_spaced
}

/// Whether words that end with `c` have other letters hang on them: particles of Korean, and whatever the
/// scripts that part no words have behind one.
pub(crate) fn takes_endings(c: char) -> bool {
    pace(c).units.is_some()
}

/// The language that alone is written in the script of most of `text`, where there is such a one.
pub(crate) fn only_language(text: &str) -> Option<&'static str> {
    let pace = prevailing(text);
    let of = |c: char| c.script();
    let is_thai =
        || text.chars().filter(|c| of(*c) == Script::Thai).count() * 2 > text.chars().count();
    match pace {
        pace if *pace == HAN => Some("zh"),
        pace if *pace == JAPANESE => Some("ja"),
        pace if *pace == HANGUL => Some("ko"),
        pace if *pace == THAI && is_thai() => Some("th"),
        _ => None,
    }
}

/// How many English words take as long to say as `text`; for Latin, Cyrillic and their like, its
/// own words.
pub(crate) fn words(text: &str) -> f64 {
    let is_counted = |word: &&str| word.chars().next().is_none_or(|c| pace(c).units.is_none());
    let counted = text.unicode_words().filter(is_counted).count();
    let others = units(text).filter_map(|pace| pace.units);
    counted as f64 + others.map(|minute| ENGLISH_WORDS / minute).sum::<f64>()
}

/// How many characters of English, spaces included, take as long to say as `text`; for Latin,
/// Cyrillic and their like, its own characters. What a voice can say of them in a second is known.
pub(crate) fn letters(text: &str) -> f64 {
    let weigh = |grapheme: &str| {
        let letter = grapheme.chars().next().filter(|c| c.is_alphanumeric());
        letter.map_or(1.0, |c| pace(c).weight())
    };
    text.graphemes(true).map(weigh).sum()
}

/// What a text of `words` is in `language`, or else in the script of `like`, as people who write it
/// would ask for it: how many, and of what, such as 447 to 559 characters.
pub fn in_script(
    words: &RangeInclusive<usize>,
    language: Option<&str>,
    like: &str,
) -> (RangeInclusive<usize>, &'static str) {
    let Pace { units, unit, .. } = language.map_or_else(|| prevailing(like), of_language);
    let Some(minute) = units else { return (words.clone(), unit) };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few hundred, and not negative"
    )]
    let of = |words: usize| (words as f64 * minute / ENGLISH_WORDS).round() as usize;
    (of(*words.start())..=of(*words.end()), unit)
}

/// The pace of a language's usual script, by its tag.
fn of_language(tag: &str) -> &'static Pace {
    match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "zh" | "yue" | "wuu" => &HAN,
        "ja" => &JAPANESE,
        "ko" => &HANGUL,
        "th" | "lo" => &THAI,
        "km" | "my" => &KHMER,
        "ar" | "fa" | "ur" | "ps" | "ckb" | "ug" | "sd" | "dv" => &ARABIC,
        "he" | "yi" => &HEBREW,
        "hi" | "mr" | "ne" | "sa" | "bn" | "as" | "pa" | "gu" | "or" | "ta" | "te" | "kn"
        | "ml" | "si" | "bo" | "am" | "ti" => &SYLLABLES,
        _ => &ALPHABET,
    }
}

/// The pace of the script in which most of a text is said.
fn prevailing(text: &str) -> &'static Pace {
    let mut said: Vec<(&'static Pace, f64)> = Vec::new();
    for pace in units(text) {
        match said.iter_mut().find(|(known, _)| *known == pace) {
            Some((_, time)) => *time += pace.weight(),
            None => said.push((pace, pace.weight())),
        }
    }
    let is_japanese = said.iter().any(|(pace, _)| **pace == KANA);
    let most = said.into_iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
    match most.map_or(&ALPHABET, |(pace, _)| pace) {
        // Only Japanese writes both.
        pace if is_japanese && (*pace == HAN || *pace == KANA) => &JAPANESE,
        pace => pace,
    }
}

#[cfg(test)]
mod tests;
