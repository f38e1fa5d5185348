//! Digits go in; the number that they are comes out.

/// Largest number of digits that is said as one number; a longer one is a telephone's or a key.
const MOST_DIGITS: usize = 12;

/// How a language groups digits, and what stands before a fraction.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    pub(super) thousands: char,
    pub(super) decimal: char,
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number<'text> {
    pub(super) is_negative: bool,
    pub(super) whole: u64,
    /// The digits behind the decimal mark; empty where there is none.
    pub(super) decimals: &'text str,
    /// Four digits in one go, as years are written.
    pub(super) is_year_like: bool,
}

impl<'text> Number<'text> {
    /// Reads a whole text; `None` where it is no number, or one with zeros in front.
    pub(super) fn parse(text: &'text str, marks: Marks) -> Option<Self> {
        let digits = text.strip_prefix(['-', '−']);
        let (is_negative, text) = (digits.is_some(), digits.unwrap_or(text));
        let (whole, decimals) = text.split_once(marks.decimal).unwrap_or((text, ""));
        if text.contains(marks.decimal) && !is_digits(decimals) {
            return None;
        }
        let plain = ungrouped(whole, marks.thousands)?;
        let is_year_like = whole.len() == 4 && decimals.is_empty() && !is_negative;
        Some(Self { is_negative, whole: plain, decimals, is_year_like })
    }

    /// Whether it is exactly one.
    pub(super) fn is_one(&self) -> bool {
        self.whole == 1 && self.decimals.is_empty() && !self.is_negative
    }
}

/// A whole number of at most `most` digits.
pub(super) fn whole(text: &str, most: usize) -> Option<u64> {
    (is_digits(text) && text.len() <= most).then(|| text.parse().ok())?
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn ungrouped(text: &str, mark: char) -> Option<u64> {
    if text.len() > 1 && text.starts_with('0') {
        return None;
    }
    let groups: Vec<&str> = text.split(mark).collect();
    let (first, rest) = groups.split_first()?;
    let is_grouped = rest.is_empty() || (1..=3).contains(&first.len());
    let is_whole = is_grouped && rest.iter().all(|group| group.len() == 3);
    is_whole.then(|| whole(&groups.concat(), MOST_DIGITS))?
}
