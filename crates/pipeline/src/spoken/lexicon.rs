//! Words with what is said instead go in; where they stand in a text comes out.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::pace;

/// Words by their first letter, the longest first.
pub(super) struct Index(HashMap<char, Vec<Entry>>);

struct Entry {
    word: String,
    say: String,
    /// A word in small letters stands for itself in any case; one with a capital only as it is written.
    is_any_case: bool,
}

/// A word of the lexicon in a text.
pub(super) struct Found<'index> {
    pub(super) at: Range<usize>,
    pub(super) say: &'index str,
}

impl Found<'_> {
    /// The sounds, where they are given: between slashes.
    pub(super) fn ipa(&self) -> Option<&str> {
        self.say.strip_prefix('/')?.strip_suffix('/').filter(|ipa| !ipa.is_empty())
    }
}

impl Index {
    pub(super) fn new(words: BTreeMap<&str, &str>) -> Self {
        let mut index: HashMap<char, Vec<Entry>> = HashMap::new();
        for (word, say) in words {
            let Some(first) = word.chars().next() else { continue };
            let is_any_case = !word.chars().any(char::is_uppercase);
            let entry = Entry { word: word.to_owned(), say: say.to_owned(), is_any_case };
            index.entry(small(first)).or_default().push(entry);
        }
        for entries in index.values_mut() {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.word.len()));
        }
        Self(index)
    }

    /// Every word of it in `text`, from the left; of two that begin alike, the longer one.
    pub(super) fn find(&self, text: &str) -> Vec<Found<'_>> {
        let (mut found, mut from, mut before) = (Vec::new(), 0, None);
        for (at, c) in text.char_indices() {
            if at >= from
                && begins(before, c)
                && let Some((end, entry)) = self.at(text, at)
            {
                found.push(Found { at: at..end, say: &entry.say });
                from = end;
            }
            before = Some(c);
        }
        found
    }

    fn at(&self, text: &str, at: usize) -> Option<(usize, &Entry)> {
        let first = text[at..].chars().next()?;
        let entries = self.0.get(&small(first))?;
        entries.iter().find_map(|entry| Some((at + entry.ends(&text[at..])?, entry)))
    }
}

impl Entry {
    /// Where it ends in `rest`, if it stands at its beginning.
    fn ends(&self, rest: &str) -> Option<usize> {
        let mut letters = rest.char_indices();
        for wanted in self.word.chars() {
            let (_, c) = letters.next()?;
            let is_it = if self.is_any_case { small(c) == small(wanted) } else { c == wanted };
            if !is_it {
                return None;
            }
        }
        let (end, behind) = letters.next().map_or((rest.len(), None), |(at, c)| (at, Some(c)));
        let last = self.word.chars().next_back()?;
        let is_end = !last.is_alphanumeric() || pace::takes_endings(last);
        (is_end || !behind.is_some_and(char::is_alphanumeric)).then_some(end)
    }
}

/// Whether a word may begin with `c` behind `before`.
fn begins(before: Option<char>, c: char) -> bool {
    !before.is_some_and(char::is_alphanumeric) || !c.is_alphanumeric() || !pace::is_spaced(c)
}

fn small(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}
