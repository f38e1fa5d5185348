//! A text that goes on later goes in; where the first mark of a thought stands in it comes out.

/// Names of marks, as in `<think>`, `</think>` and `[THINK]`.
const NAMES: [&str; 8] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reflection",
    "seed:think",
    "antthinking",
];
/// Marks of another make: the beginning of a thought, and its end.
const OTHERS: [(&str, &str); 2] =
    [("◁think▷", "◁/think▷"), ("<|begin_of_thought|>", "<|end_of_thought|>")];
/// Longest mark, in bytes, with whatever stands in it beside its name.
const MAX_MARK: usize = 80;

/// What begins where the text before it ends; lengths are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// What may become a mark.
    Unfinished,
    /// The beginning of a thought.
    Begin(usize),
    /// Its end.
    End(usize),
}

/// The first mark, and where it begins; the text's length where there is none.
pub(super) fn find(text: &str) -> (usize, Found) {
    let starts = text.char_indices().filter(|(_, c)| "<[◁".contains(*c));
    let mut found = starts.map(|(at, _)| (at, mark(&text[at..])));
    found.find(|(_, found)| *found != Found::Nothing).unwrap_or((text.len(), Found::Nothing))
}

fn mark(text: &str) -> Found {
    for (begin, end) in OTHERS {
        if text.starts_with(begin) {
            return Found::Begin(begin.len());
        }
        if text.starts_with(end) {
            return Found::End(end.len());
        }
        if begin.starts_with(text) || end.starts_with(text) {
            return Found::Unfinished;
        }
    }
    match text.as_bytes().first() {
        Some(b'<') => named(text, '>'),
        Some(b'[') => named(text, ']'),
        _ => Found::Nothing,
    }
}

/// A mark with a name of ours, and perhaps something behind it: `<think>`, `< /Think type="x" >`.
fn named(text: &str, close: char) -> Found {
    let inner = &text[1..];
    let (inner, is_finished) = match inner.split_once(close) {
        Some((inner, _)) => (inner, true),
        None => (inner, false),
    };
    if inner.len() > MAX_MARK {
        return Found::Nothing;
    }
    let word = inner.trim_start();
    let (word, is_end) = match word.strip_prefix('/') {
        Some(word) => (word.trim_start(), true),
        None => (word, false),
    };
    let name = word.split(char::is_whitespace).next().unwrap_or_default();
    let has_name = NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
    let may_become = |known: &&str| {
        known.get(..name.len()).is_some_and(|known| known.eq_ignore_ascii_case(name))
    };
    let is_open = !is_finished && (has_name || (name == word && NAMES.iter().any(may_become)));
    match (is_finished && has_name, is_end) {
        (true, false) => Found::Begin(inner.len() + 2),
        (true, true) => Found::End(inner.len() + 2),
        (false, _) if is_open => Found::Unfinished,
        (false, _) => Found::Nothing,
    }
}
