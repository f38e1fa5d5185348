//! Text as it is written goes in; where it may be parted comes out: at an empty line, or at a pause
//! in brackets.
//!
//! Nothing in square brackets is ever spoken, nor in those that Chinese and Japanese use for them:
//! what asks for a pause is one, all else is a direction. Braces and angle brackets hold data or
//! mark-up unless they hold a pause, or a token of the model's machinery. A bracket ends with its
//! paragraph at the latest.

use std::time::Duration;

use super::fault::ScriptFault;
use super::{MAX_MARK, pause};

/// Where a text is parted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Border {
    /// Where the text before it ends, in bytes.
    pub(super) at: usize,
    /// Where the text behind it begins.
    pub(super) end: usize,
    /// The silence that it asks for; an empty line asks for none.
    pub(super) pause: Option<Duration>,
}

/// An opening bracket whose like is never spoken, and what closes it.
fn closer(c: char) -> Option<char> {
    match c {
        '[' => Some(']'),
        '【' => Some('】'),
        '［' => Some('］'),
        '〔' => Some('〕'),
        '{' => Some('}'),
        '<' => Some('>'),
        _ => None,
    }
}

/// The first border; none while the text has no whole one.
pub(super) fn border(text: &str) -> Result<Option<Border>, ScriptFault> {
    let empty_line = empty_line(text);
    let paragraph = &text[..empty_line.map_or(text.len(), |border| border.at)];
    let mut from = 0;
    while let Some((at, open, close)) = opening(paragraph, from) {
        let mark = &paragraph[at..];
        let whole = mark.find(close).map(|length| length + close.len_utf8());
        let mark = whole.map_or(mark, |length| &mark[..length]).trim_end();
        if mark.chars().count() > MAX_MARK {
            return Err(fault(open));
        }
        if whole.is_none() && empty_line.is_none() {
            return Ok(None);
        }
        let end = at + whole.unwrap_or(mark.len());
        match pause::asked(mark) {
            Some(length) => {
                // One that stays open ends with the empty line: whatever came to stand there instead
                // would be a part of it when it is read again.
                let end = match empty_line {
                    Some(border) if whole.is_none() => border.end,
                    _ => end,
                };
                return Ok(Some(Border { at, end, pause: Some(length) }));
            }
            None if fault(open) == ScriptFault::Mark || is_token(mark) => from = end,
            None => return Err(fault(open)),
        }
    }
    Ok(empty_line)
}

/// Without the directions in brackets, as far as [`border`] has let them pass.
pub(super) fn without_directions(text: &str) -> String {
    let (mut kept, mut from) = (String::with_capacity(text.len()), 0);
    while let Some((at, _, close)) = opening(text, from) {
        kept.push_str(&text[from..at]);
        from = text[at..].find(close).map_or(text.len(), |length| at + length + close.len_utf8());
        join(&mut kept, &text[from..]);
    }
    kept.push_str(&text[from..]);
    kept
}

/// Where something was dropped between `kept` and `rest`, no space is left before a full stop.
pub(super) fn join(kept: &mut String, rest: &str) {
    if rest.starts_with(|c: char| ".,;:!?…".contains(c)) {
        kept.truncate(kept.trim_end_matches(' ').len());
    }
}

fn fault(open: char) -> ScriptFault {
    if "{<".contains(open) { ScriptFault::NotPlain(open) } else { ScriptFault::Mark }
}

/// What a model's own machinery ends with, where a server lets it out: `<|im_end|>`, `</s>`.
fn is_token(mark: &str) -> bool {
    mark.starts_with("<|") || matches!(mark, "<s>" | "</s>")
}

fn opening(text: &str, from: usize) -> Option<(usize, char, char)> {
    let mut brackets = text[from..].char_indices();
    brackets.find_map(|(at, c)| closer(c).map(|close| (from + at, c, close)))
}

/// The first empty line, with the end of the line before it.
fn empty_line(text: &str) -> Option<Border> {
    text.match_indices('\n').find_map(|(at, _)| {
        let behind = &text[at + 1..];
        let blank = behind.len() - behind.trim_start_matches([' ', '\t']).len();
        let is_empty = behind[blank..].starts_with('\n');
        is_empty.then_some(Border { at, end: at + 1 + blank + 1, pause: None })
    })
}
