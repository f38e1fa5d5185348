//! `1h30m` goes in; milliseconds come out, and the same text again.

use std::fmt;

/// The units, from the longest.
const UNITS: [(char, i64); 4] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)];
/// Longer than any record lives: a hundred years.
const MOST_MS: i64 = 100 * 366 * 86_400_000;

/// A length of time, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(i64);

impl Span {
    /// What a span's text takes.
    pub(super) const TAKES: &str = "a time such as 90s, 5m, 2h or 1d12h, at most 100 years";

    pub(super) fn ms(self) -> i64 {
        self.0
    }

    /// Numbers, each with its unit; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut sum, mut number) = (0_i64, String::new());
        for letter in text.chars() {
            if letter.is_ascii_digit() {
                number.push(letter);
                continue;
            }
            let (_, unit) = UNITS.iter().find(|(name, _)| *name == letter)?;
            sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(*unit)?)?;
            number.clear();
        }
        let is_whole = number.is_empty() && !text.is_empty() && sum <= MOST_MS;
        is_whole.then_some(Self(sum))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        for (name, unit) in UNITS {
            let number = left / unit;
            left %= unit;
            if number > 0 || (name == 's' && self.0 == 0) {
                write!(f, "{number}{name}")?;
            }
        }
        Ok(())
    }
}
