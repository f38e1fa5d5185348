//! The words in a mark go in; the silence that they ask for comes out.

use std::time::Duration;

/// A pause without a length.
const PAUSE: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_secs(1);
/// Longest pause; whatever asks for more gets this much.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Beginnings of words for a pause.
const PAUSES: [&str; 47] = [
    "paus",
    "pauz",
    "silen",
    "stille",
    "schweig",
    "break",
    "beat",
    "wait",
    "warte",
    "пауз",
    "тишин",
    "молчан",
    "παύσ",
    "παυσ",
    "σιωπ",
    "وقف",
    "صمت",
    "הפסק",
    "שתיק",
    "विराम",
    "ठहर",
    "मौन",
    "หยุด",
    "พัก",
    "เงียบ",
    "ຢຸດ",
    "停顿",
    "停頓",
    "暂停",
    "暫停",
    "静默",
    "靜默",
    "沉默",
    "間",
    "ポーズ",
    "沈黙",
    "静寂",
    "停止",
    "멈춤",
    "쉼",
    "정지",
    "침묵",
    "ផ្អាក",
    "ရပ်",
    "durak",
    "przerw",
    "jeda",
];
const LONGS: [&str; 19] = [
    "long",
    "extend",
    "lang",
    "läng",
    "larg",
    "lung",
    "prolong",
    "deep",
    "長",
    "长",
    "긴",
    "долг",
    "длин",
    "طويل",
    "लंब",
    "लम्ब",
    "ยาว",
    "ארוכ",
    "uzun",
];
const SHORTS: [&str; 20] = [
    "short",
    "brief",
    "small",
    "quick",
    "tiny",
    "little",
    "kurz",
    "kort",
    "court",
    "brèv",
    "brev",
    "cort",
    "petit",
    "短",
    "짧",
    "корот",
    "قصير",
    "छोट",
    "สั้น",
    "קצר",
];
/// Words that say nothing of their own beside those above.
const FILLERS: [&str; 36] = [
    "for", "of", "a", "an", "the", "about", "around", "here", "now", "moment", "moments", "few",
    "again", "take", "another", "gentle", "quiet", "silent", "time", "für", "von", "etwa", "eine",
    "einen", "einer", "ein", "de", "une", "un", "pendant", "por", "una", "durante", "per", "di",
    "um",
];
/// Words between the ends of a range.
const RANGES: [&str; 9] = ["to", "or", "bis", "oder", "à", "ou", "a", "o", "至"];
const NUMBERS: [(&str, f64); 16] = [
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("twelve", 12.0),
    ("fifteen", 15.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("sixty", 60.0),
];
/// Beginnings of units, and their seconds; up to two letters are the whole word. A calm breath takes
/// some four seconds.
const UNITS: [(&str, f64); 41] = [
    ("ms", 0.001),
    ("millis", 0.001),
    ("毫秒", 0.001),
    ("s", 1.0),
    ("sec", 1.0),
    ("sek", 1.0),
    ("seg", 1.0),
    ("秒", 1.0),
    ("초", 1.0),
    ("сек", 1.0),
    ("с", 1.0),
    ("ثاني", 1.0),
    ("ثوان", 1.0),
    ("सेक", 1.0),
    ("วินาที", 1.0),
    ("שני", 1.0),
    ("δευτ", 1.0),
    ("san", 1.0),
    ("count", 1.0),
    ("beat", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("分", 60.0),
    ("분", 60.0),
    ("мин", 60.0),
    ("دقيق", 60.0),
    ("मिनट", 60.0),
    ("นาที", 60.0),
    ("דק", 60.0),
    ("λεπτ", 60.0),
    ("h", 3600.0),
    ("hour", 3600.0),
    ("stund", 3600.0),
    ("heure", 3600.0),
    ("hora", 3600.0),
    ("breath", 4.0),
    ("atem", 4.0),
    ("respir", 4.0),
    ("呼吸", 4.0),
    ("호흡", 4.0),
    ("дых", 4.0),
];
/// Longest strict pause in a script without spaces, in characters.
const MAX_UNSPACED: usize = 6;

/// A word of a mark.
#[derive(Debug, PartialEq)]
enum Token {
    Number(f64),
    Dash,
    Word(String),
}

/// The silence that a mark in square brackets asks for: one that names a pause, or is a length of
/// time and nothing else. `[pause]` is 2 s, `[long pause]` 5 s, `[short pause]` 1 s,
/// `[Pause for 10 seconds]` says how long; of a range the middle counts, and 30 s are the most.
pub(super) fn asked(mark: &str) -> Option<Duration> {
    let tokens = tokens(mark);
    (names_pause(&tokens) || is_time(&tokens)).then(|| length(&tokens))
}

/// The same where the mark may be prose: every word of it must be about the pause, as those of
/// `(pause for a moment)` are, and those of `(or pause, if you like)` are not.
pub(super) fn asked_only(mark: &str) -> Option<Duration> {
    let tokens = tokens(mark);
    let is_pause = names_pause(&tokens) && tokens.iter().all(is_about_pauses);
    (is_pause || is_time(&tokens)).then(|| length(&tokens))
}

/// The same where no bracket marks it: a line such as `Pause for 10 seconds`, with its length, or
/// one framed by dashes or dots, such as `— pause —`.
pub(super) fn asked_aloud(line: &str) -> Option<Duration> {
    let is_frame = |c: char| "-–—~=.…•·".contains(c);
    let is_framed = line.starts_with(is_frame) && line.ends_with(is_frame);
    let line = line.trim_matches(is_frame);
    let tokens = tokens(line);
    let is_measured = tokens.iter().any(|token| matches!(token, Token::Number(_)));
    let is_one = !line.contains(['!', '?', '。', '(', '（', '*', '_']) && !line.contains(". ");
    asked_only(line).filter(|_| is_one && (is_measured || is_framed) && names_pause(&tokens))
}

fn names_pause(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Word(word) if begins(&PAUSES, word)))
}

/// A number, then its unit of time, and nothing else.
fn is_time(tokens: &[Token]) -> bool {
    let is_number = |token: &Token| matches!(token, Token::Number(_));
    let is_unit = |token: &Token| matches!(token, Token::Word(word) if unit(word).is_some());
    let is_either = |token: &Token| is_number(token) || is_unit(token) || *token == Token::Dash;
    tokens.first().is_some_and(is_number)
        && tokens.iter().any(is_unit)
        && tokens.iter().all(is_either)
}

fn is_about_pauses(token: &Token) -> bool {
    let Token::Word(word) = token else { return true };
    if is_unspaced(word) && word.chars().count() > MAX_UNSPACED {
        return false;
    }
    [&PAUSES[..], &LONGS, &SHORTS].iter().any(|words| begins(words, word))
        || FILLERS.contains(&word.as_str())
        || RANGES.contains(&word.as_str())
        || unit(word).is_some()
}

fn length(tokens: &[Token]) -> Duration {
    let is_one_of = |words: &[&str]| {
        tokens.iter().any(|token| matches!(token, Token::Word(word) if begins(words, word)))
    };
    let Some((number, unit)) = measured(tokens) else {
        return if is_one_of(&LONGS) {
            LONG
        } else if is_one_of(&SHORTS) {
            SHORT
        } else {
            PAUSE
        };
    };
    let seconds = (number * unit).clamp(0.0, MAX_PAUSE.as_secs_f64());
    Duration::try_from_secs_f64(seconds).unwrap_or(MAX_PAUSE)
}

/// The first number, or the middle of a range that begins with it, and its unit in seconds.
fn measured(tokens: &[Token]) -> Option<(f64, f64)> {
    let first = tokens.iter().position(|token| matches!(token, Token::Number(_)))?;
    let Token::Number(from) = tokens[first] else { return None };
    let unit_at = |at: usize| match tokens.get(at) {
        Some(Token::Word(word)) => unit(word),
        _ => None,
    };
    let own = unit_at(first + 1);
    let between = first + 1 + usize::from(own.is_some());
    let is_range = match tokens.get(between) {
        Some(Token::Dash) => true,
        Some(Token::Word(word)) => RANGES.contains(&word.as_str()),
        _ => false,
    };
    match tokens.get(between + 1) {
        Some(Token::Number(to)) if is_range => {
            let unit = unit_at(between + 2).or(own).unwrap_or(1.0);
            Some(((from * own.unwrap_or(unit) / unit).midpoint(*to), unit))
        }
        // The dash of `a 10-second pause`.
        Some(Token::Word(word)) if is_range && own.is_none() => {
            Some((from, unit(word).unwrap_or(1.0)))
        }
        _ => Some((from, own.unwrap_or(1.0))),
    }
}

fn unit(word: &str) -> Option<f64> {
    let is_it = |stem: &str| match stem.chars().count() {
        ..=2 if !is_unspaced(stem) => word == stem,
        _ => word.starts_with(stem),
    };
    UNITS.into_iter().find(|(stem, _)| is_it(stem)).map(|(_, seconds)| seconds)
}

/// Whether `word` begins with one of `stems`; without spaces between words, whether it holds one.
fn begins(stems: &[&str], word: &str) -> bool {
    stems.iter().any(
        |stem| {
            if is_unspaced(stem) { word.contains(stem) } else { word.starts_with(stem) }
        },
    )
}

/// Of a script that writes no spaces: Thai and all behind it in Unicode.
fn is_unspaced(word: &str) -> bool {
    word.starts_with(|c: char| c >= '\u{e00}')
}

fn tokens(mark: &str) -> Vec<Token> {
    let lower: Vec<char> = mark.to_lowercase().chars().map(plain_digit).collect();
    let (mut tokens, mut rest) = (Vec::new(), lower.as_slice());
    while let Some(c) = rest.first() {
        let length = if c.is_ascii_digit() {
            let number = number(rest);
            let text: String = rest[..number].iter().collect();
            tokens.push(Token::Number(text.replace(',', ".").parse().unwrap_or(f64::MAX)));
            number
        } else if is_letter(*c) {
            let word: String = rest.iter().take_while(|c| is_letter(**c)).collect();
            let known = NUMBERS.into_iter().find(|(name, _)| *name == word);
            let length = word.chars().count();
            tokens.push(known.map_or(Token::Word(word), |(_, number)| Token::Number(number)));
            length
        } else {
            if "-–—~～〜‑".contains(*c) && !tokens.is_empty() {
                tokens.push(Token::Dash);
            }
            1
        };
        rest = &rest[length..];
    }
    tokens
}

/// Characters of the number that `rest` begins with.
fn number(rest: &[char]) -> usize {
    let digits = |from: usize| rest[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let whole = digits(0);
    let fraction = match rest.get(whole) {
        Some('.' | ',') => digits(whole + 1),
        _ => 0,
    };
    if fraction > 0 { whole + 1 + fraction } else { whole }
}

fn is_letter(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_ascii_digit()
        && !c.is_ascii_punctuation()
        && !"–—～〜‑…“”„‘’«»、。，：；！？（）【】［］〔〕·•।".contains(c)
}

/// Digits of the house's languages as those of ASCII.
fn plain_digit(c: char) -> char {
    let zeros =
        ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ed0}', '\u{17e0}', '\u{ff10}'];
    let digit = zeros.into_iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10).filter(|_| value < 10)
    });
    digit.unwrap_or(c)
}
