//! A paragraph as models write it goes in; the words to be spoken come out, and the pauses between
//! them.
//!
//! Lines first: a heading, a title in bold, a rule, a fence of code, a note such as `Word count: 420`
//! is not spoken; a bullet, a quotation mark of mail and a speaker's name are taken off. Then what
//! stands in round brackets, or between asterisks or underscores. It is a pause where every word of
//! it is about one. It is a direction, and dropped, where it stands between sentences, is short, and
//! is no sentence itself: `(softly) Let go.`, `Let go. *breathes in* And rest.`; in round brackets
//! also where it is a paragraph of its own. Everywhere else it is prose, and spoken:
//! `as often (or as seldom) as you wish`, `(Or leave them open.)`, `let it *all* go`.

use std::time::Duration;

use stillcast_enqueue::readable;
use unicode_segmentation::UnicodeSegmentation;

use super::fault::ScriptFault;
use super::mark::{join, without_directions};
use super::{habits, pause};

/// Longest direction among sentences, in characters.
const MAX_DIRECTION: usize = 80;
/// Most characters of a grapheme: no script needs more, and a voice chokes on them.
const MAX_GRAPHEME: usize = 16;

/// A part of a paragraph.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Words(String),
    Pause(Duration),
}

/// The parts of a paragraph, or of as much of it as stands before a pause; `is_begun` when a part of
/// its first line stands before `text`.
pub(super) fn pieces(text: &str, is_begun: bool) -> Result<Vec<Piece>, ScriptFault> {
    let text = readable(&without_directions(text)).text;
    let is_one_line = text.trim().lines().count() == 1;
    let (mut pieces, mut words) = (Vec::new(), String::new());
    for (number, line) in text.lines().enumerate() {
        let is_begun = is_begun && number == 0;
        let place = Place { is_alone: is_one_line && !is_begun, is_begun };
        for piece in place.pieces(line) {
            match piece {
                Piece::Words(more) => words = words + " " + &more,
                Piece::Pause(length) => {
                    pieces.push(Piece::Words(tidy(&std::mem::take(&mut words))?));
                    pieces.push(Piece::Pause(length));
                }
            }
        }
    }
    pieces.push(Piece::Words(tidy(&words)?));
    Ok(pieces)
}

/// Where a line stands.
#[derive(Clone, Copy)]
struct Place {
    /// It is a whole paragraph.
    is_alone: bool,
    /// Its beginning stands before a pause.
    is_begun: bool,
}

impl Place {
    fn pieces(self, line: &str) -> Vec<Piece> {
        let line = line.trim();
        if let Some(length) = pause::asked_aloud(line) {
            return vec![Piece::Pause(length)];
        }
        let spoken = if self.is_begun { Some(line) } else { spoken(line) };
        spoken.map(|words| Inline::read(words, self.is_alone)).unwrap_or_default()
    }
}

/// What is spoken of a whole line; none of a heading, a title, a rule, a fence, a note.
fn spoken(line: &str) -> Option<&str> {
    if !line.contains(char::is_alphanumeric) || line.starts_with("```") || line.starts_with("~~~") {
        return None;
    }
    let is_music = line.starts_with(['♪', '♫', '♬', '🎵', '🎶']);
    let is_heading = line.trim_start_matches('#').starts_with(' ') && line.starts_with('#');
    if is_music || is_heading || is_title(line) || habits::is_farewell(line) {
        return None;
    }
    let line = without_bullet(line.trim_start_matches(['>', ' ']));
    match habits::label(line) {
        habits::Labelled::Words => Some(line),
        habits::Labelled::Note => None,
        habits::Labelled::Said(words) => Some(words),
    }
}

/// A whole line in bold that is no sentence.
fn is_title(line: &str) -> bool {
    ["**", "__"].into_iter().any(|bold| {
        let inner = line.strip_prefix(bold).and_then(|line| line.strip_suffix(bold));
        inner.is_some_and(|inner| {
            !inner.contains(bold) && !is_sentence(inner) && pause::asked_only(inner).is_none()
        })
    })
}

fn without_bullet(line: &str) -> &str {
    let behind = |prefix: &str| line.strip_prefix(prefix);
    if let Some(rest) = ["- ", "* ", "+ ", "• ", "· ", "– ", "— "].into_iter().find_map(behind)
    {
        return rest.trim_start();
    }
    let number = line.chars().take_while(char::is_ascii_digit).count();
    let rest = line[number..].strip_prefix(['.', ')']).filter(|_| (1..=2).contains(&number));
    let rest = rest.and_then(|rest| rest.strip_prefix(' ')).map(str::trim_start);
    rest.filter(|rest| rest.starts_with(|c: char| !c.is_ascii_digit())).unwrap_or(line)
}

/// A line while its brackets and its emphasis are read.
struct Inline {
    pieces: Vec<Piece>,
    words: String,
    is_alone: bool,
}

impl Inline {
    fn read(line: &str, is_alone: bool) -> Vec<Piece> {
        let mut inline = Self { pieces: Vec::new(), words: String::new(), is_alone };
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let taken = enclosed(&inline.words, rest).map_or(0, |group| inline.take(rest, &group));
            if taken > 0 {
                rest = &rest[taken..];
                if inline.words.is_empty() || inline.words.ends_with(' ') {
                    join(&mut inline.words, rest);
                }
            } else {
                inline.words.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        inline.pieces.push(Piece::Words(inline.words));
        inline.pieces
    }

    /// Bytes that are no words: those of the group that `rest` begins with, or none.
    fn take(&mut self, rest: &str, group: &Group<'_>) -> usize {
        let behind = &rest[group.length..];
        let is_direction = self.is_direction(group, behind);
        let asked =
            if is_direction { pause::asked(group.inner) } else { pause::asked_only(group.inner) };
        if let Some(length) = asked {
            self.pieces.push(Piece::Words(std::mem::take(&mut self.words)));
            self.pieces.push(Piece::Pause(length));
        } else if !is_direction {
            return 0;
        }
        group.length
    }

    fn is_direction(&self, group: &Group<'_>, behind: &str) -> bool {
        let before = self.words.trim_end_matches(is_beside);
        let is_between = before.is_empty() || before.ends_with(ENDS);
        let behind = behind.trim_start_matches(is_beside);
        let is_whole = self.is_alone && before.is_empty() && behind.is_empty();
        if group.is_round && is_whole {
            return true;
        }
        let is_short = group.inner.chars().count() <= MAX_DIRECTION;
        is_between
            && is_short
            && !is_sentence(group.inner)
            && (group.is_round || group.acts(behind))
    }
}

/// What stands between two marks of a kind.
struct Group<'line> {
    inner: &'line str,
    /// Bytes, marks included.
    length: usize,
    /// In round brackets; else it is emphasized.
    is_round: bool,
}

impl Group<'_> {
    /// Whether emphasis tells what somebody does, rather than to stress a word: the line ends behind
    /// it, or a new sentence begins there, as none does behind `*Let* it go` or `*Atme* Ruhe`.
    fn acts(&self, behind: &str) -> bool {
        let is_phrase = self.inner.contains(' ') || self.inner.starts_with(char::is_lowercase);
        let is_new = behind.is_empty() || behind.starts_with(char::is_uppercase);
        is_phrase && is_new && !self.inner.starts_with('*')
    }
}

/// The group that `rest` begins with, behind `before`.
fn enclosed<'line>(before: &str, rest: &'line str) -> Option<Group<'line>> {
    let open = rest.chars().next()?;
    let (marks, is_round) = match open {
        '(' => ((1, ")"), true),
        '（' => ((open.len_utf8(), "）"), true),
        '*' | '_' if !before.ends_with(['*', '_']) => {
            let marks = rest.len() - rest.trim_start_matches(open).len();
            ((marks, &rest[..marks]), false)
        }
        _ => return None,
    };
    let (begin, close) = marks;
    let inner = &rest[begin..];
    let inner = &inner[..inner.find(close)?];
    // `2 * 3 * 4` and `snake_case_names` are no emphasis.
    let is_inside = !is_round && open == '_' && before.ends_with(char::is_alphanumeric);
    let is_loose = !is_round && inner.starts_with(' ');
    let is_any = inner.contains(char::is_alphanumeric) && !is_inside && !is_loose;
    is_any.then_some(Group { inner, length: begin + inner.len() + close.len(), is_round })
}

/// Ends of sentences; a direction may stand behind a speaker's colon too.
const ENDS: [char; 16] =
    ['.', '!', '?', '…', ':', '：', '。', '！', '？', '｡', '।', '॥', '؟', '۔', '။', '។'];

fn is_sentence(text: &str) -> bool {
    let end = text.trim_end_matches(is_beside).chars().next_back();
    end.is_some_and(|end| ENDS.contains(&end) && !"…:：".contains(end))
}

fn is_beside(c: char) -> bool {
    c.is_whitespace() || is_ornament(c) || "\"'“”„‘’«»".contains(c)
}

/// Drops emphasis and pictograms, which nobody should hear, joins lines, refuses other mark-up.
fn tidy(text: &str) -> Result<String, ScriptFault> {
    let kept: String = text.chars().filter(|c| !is_ornament(*c)).collect();
    // A pictogram may have been what a joiner joined.
    let kept = readable(&kept).text;
    let words: Vec<String> = kept.split_whitespace().map(shorter).collect();
    let joined = words.join(" ");
    if let Some(found) = joined.chars().find(|c| "{}<>|\\^=".contains(*c)) {
        return Err(ScriptFault::NotPlain(found));
    }
    if joined.contains("://") || joined.contains("www.") {
        return Err(ScriptFault::Link);
    }
    // Dots that only lead to a pause.
    Ok(joined.trim_end_matches(" …").to_owned())
}

/// Without what is too much in a grapheme.
fn shorter(word: &str) -> String {
    word.graphemes(true).flat_map(|grapheme| grapheme.chars().take(MAX_GRAPHEME)).collect()
}

fn is_ornament(c: char) -> bool {
    "*_`#~]】］〕".contains(c)
        || matches!(c, '\u{2600}'..='\u{27bf}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}
