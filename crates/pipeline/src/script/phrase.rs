//! A passage goes in; its sentences come out, and the parts of those that are too long to be read at
//! one look.

use super::passage::{Border, ends_clause};
use crate::pace;

/// Most of a phrase, in English letters that take as long to say: two lines of a caption, 5 to 6 s.
const MOST: f64 = 84.0;
/// From this part of its length on a phrase ends at the next clause's end, and from that on at any.
const ENOUGH: (f64, f64) = (0.6, 1.25);

/// The phrases of a passage, in their order; together they are the passage but for spaces.
pub(crate) fn phrases(passage: &str) -> Vec<String> {
    let sentences = Border::Sentence.pieces(passage);
    let phrases = sentences.into_iter().flat_map(parts).map(|part| part.trim().to_owned());
    let mut all: Vec<String> = Vec::new();
    for phrase in phrases.filter(|phrase| !phrase.is_empty()) {
        match all.last_mut() {
            // What cannot be said is no phrase of its own.
            Some(last) if !phrase.contains(char::is_alphanumeric) => {
                last.push(' ');
                last.push_str(&phrase);
            }
            _ => all.push(phrase),
        }
    }
    all
}

/// Whether a text stops where a sentence may.
pub(crate) fn ends_sentence(text: &str) -> bool {
    text.trim_end().chars().next_back().is_some_and(may_end_sentence)
}

/// Marks of all scripts end a sentence, but for those behind which one goes on; scripts without such
/// marks (Thai, Lao, Khmer) may end with any letter.
pub(crate) fn may_end_sentence(c: char) -> bool {
    let goes_on = ",;:-–—、،؛，；：([{<（「『《“‘«¿¡&+/";
    let is_markless = matches!(c, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}');
    is_markless || !(c.is_alphanumeric() || goes_on.contains(c))
}

/// As few parts of a sentence as may be, of like length; they end with a clause where one does.
fn parts(sentence: &str) -> Vec<String> {
    let whole = pace::letters(sentence);
    let count = (whole / MOST).ceil().max(1.0);
    let like = whole / count;
    let (mut parts, mut part, mut size) = (Vec::new(), String::new(), 0.0);
    let pieces = pieces(sentence);
    let behind = pieces.iter().skip(1).map(String::as_str).chain([""]);
    for (piece, next) in pieces.iter().zip(behind) {
        part.push_str(piece);
        size += pace::letters(piece);
        let last = piece.trim_end().chars().next_back();
        let is_clause = last.is_some_and(|last| ends_clause(last, " ") && !next.is_empty());
        let (clause, any) = ENOUGH;
        let is_whole = size >= like * if is_clause { clause } else { any };
        if count > 1.0 && is_whole {
            parts.push(std::mem::take(&mut part));
            size = 0.0;
        }
    }
    parts.push(part);
    parts
}

/// The words of a sentence, or its characters where it has no spaces.
fn pieces(sentence: &str) -> Vec<String> {
    let words = Border::Space.pieces(sentence).into_iter();
    let short = |word: &str| pace::letters(word) <= MOST / 2.0;
    let split = |word: &str| if short(word) { vec![word.to_owned()] } else { graphemes(word) };
    words.flat_map(split).collect()
}

fn graphemes(word: &str) -> Vec<String> {
    Border::Grapheme.pieces(word).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_phrases_and_long_ones_are_parted_where_clauses_end() {
        assert_eq!(phrases("Breathe in. And out again."), ["Breathe in.", "And out again."]);
        let long = "Begin at the top of your head, and let a slow warmth travel down over the \
                    forehead, over the cheeks and the neck, along both arms to your fingers.";
        let parts = phrases(long);
        assert_eq!(parts.join(" "), long);
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert!(parts[0].ends_with(','), "{parts:?}");
    }

    #[test]
    fn a_dot_that_only_cuts_short_ends_no_sentence() {
        for (text, count) in [
            ("Dr. Lee waits by the sea. Breathe.", 2),
            ("We sit with Prof. Ong, St. John and Mr. Hill.", 1),
            ("Am 3. Mai beginnt es. Ruhe.", 2),
            ("Nimm z. B. Tee oder ca. Drei Tassen.", 1),
            ("Zähle bis 3. Dann ruhe.", 2),
            ("慢慢地吸气。慢慢地呼气！好吗？", 3),
            ("धीरे साँस लें। फिर छोड़ें।", 2),
            ("هل تسمع الهواء؟ تنفس ببطء.", 2),
        ] {
            assert_eq!(phrases(text).len(), count, "{:?}", phrases(text));
        }
    }

    #[test]
    fn every_script_is_parted_and_nothing_is_lost() {
        let chinese = "现在让呼吸慢慢地进来再慢慢地出去让身体的重量沉到地面上什么也不用做只是静静地听着自己的呼吸";
        let parts = phrases(chinese);
        assert!(parts.len() > 1, "{parts:?}");
        assert_eq!(parts.concat(), chinese);
        assert!(parts.iter().all(|part| pace::letters(part) <= MOST * 1.3), "{parts:?}");
        assert_eq!(phrases("Rest. …"), ["Rest. …"]);
        assert_eq!(phrases(""), Vec::<String>::new());
    }
}
