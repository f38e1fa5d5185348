//! A text and the words of its speech go in; whether they are the same comes out. What is said otherwise for the
//! first time is bought again; what is nearly right the second time will do.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

/// Texts that are remembered; beyond them the oldest news is forgotten, and a text may be bought twice more.
const MOST: usize = 1_000;
/// The share of letters that may differ the second time, and how many may in any case.
const NEAR: usize = 20;
const LEAST: usize = 2;

/// Texts whose speech had other words until now.
#[derive(Debug, Default)]
pub(super) struct Reworded(Mutex<HashSet<u64>>);

/// What the words of speech are to those of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fidelity {
    /// The same, or the second time nearly.
    Faithful,
    /// Others, for the first time.
    Reworded,
    /// Far others, for the second time.
    Unfaithful,
}

impl Reworded {
    pub(super) fn judge(&self, text: &str, said: &str) -> Fidelity {
        let (text, said) = (letters(text), letters(said));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name(&text);
        if text == said {
            known.remove(&name);
            return Fidelity::Faithful;
        }
        if known.len() >= MOST {
            known.clear();
        }
        if known.insert(name) {
            return Fidelity::Reworded;
        }
        known.remove(&name);
        let most = (text.len() / NEAR).max(LEAST);
        if differences(&text, &said, most) <= most {
            Fidelity::Faithful
        } else {
            Fidelity::Unfaithful
        }
    }
}

fn name(text: &[char]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Marks, blanks and capitals are not heard.
fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Letters to be changed, left out or put in (Levenshtein); more than `most` where the lengths alone say so.
fn differences(from: &[char], to: &[char], most: usize) -> usize {
    if from.len().abs_diff(to.len()) > most {
        return most + 1;
    }
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.iter().enumerate() {
        let mut above_left = at;
        let mut left = at + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(to) {
            let changed = above_left + usize::from(letter != other);
            above_left = *cell;
            *cell = changed.min(left + 1).min(above_left + 1);
            left = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "I'm at rest, and the tide goes out with my breath.";

    #[test]
    fn marks_and_capitals_are_no_other_words() {
        let reworded = Reworded::default();
        let said = "i’m at rest and the tide — goes out with my breath";
        assert_eq!(reworded.judge(TEXT, said), Fidelity::Faithful);
    }

    #[test]
    fn other_words_are_bought_again_once_and_then_only_nearly_right_ones_will_do() {
        let reworded = Reworded::default();
        let near = TEXT.replace("I'm", "I am");
        assert_eq!(reworded.judge(TEXT, &near), Fidelity::Reworded);
        assert_eq!(reworded.judge(TEXT, &near), Fidelity::Faithful);
        let far = "Sure! Here is your text. I am at rest.";
        assert_eq!(reworded.judge(TEXT, far), Fidelity::Reworded);
        assert_eq!(reworded.judge(TEXT, far), Fidelity::Unfaithful);
        assert_eq!(reworded.judge(TEXT, ""), Fidelity::Reworded, "each purchase has its two");
        assert_eq!(reworded.judge(TEXT, TEXT), Fidelity::Faithful);
    }

    #[test]
    fn letters_are_counted_that_differ() {
        for (from, to, count) in [("rest", "rest", 0), ("im", "iam", 1), ("kitten", "sitting", 3)] {
            assert_eq!(differences(&letters(from), &letters(to), 9), count, "{from} {to}");
        }
        assert_eq!(differences(&letters("a"), &letters("abcdef"), 2), 3, "not worth counting");
    }
}
