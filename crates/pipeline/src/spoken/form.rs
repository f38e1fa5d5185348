//! A word with digits in it goes in; what people take it for comes out: a rhythm, a time, a date.

use super::number::whole;

/// Marks between the numbers of a rhythm or a span.
const DASHES: [char; 3] = ['-', '–', '‑'];

/// What a word with digits is, beside a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form<'text> {
    /// Counts one after the other, such as `4-7-8`, and what hangs on them.
    Rhythm(Vec<u64>, &'text str),
    /// From one number to another, and what hangs on them.
    Span(u64, u64, &'text str),
    /// A time of day.
    Clock(u64, u64),
    /// Year, month and day.
    Date(u64, usize, u64),
    /// A part of few.
    Fraction(u64, u64),
}

impl<'text> Form<'text> {
    /// What every language writes alike.
    pub(super) fn of(core: &'text str) -> Option<Self> {
        iso_date(core)
            .or_else(|| clock(core, ':'))
            .or_else(|| fraction(core))
            .or_else(|| counts(core))
    }

    /// The number that a word begins with, and the rest of it, such as a unit.
    pub(super) fn split_unit(core: &'text str) -> Option<(&'text str, &'text str)> {
        let digits = core.trim_start_matches(['-', '−']);
        if !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let end = digits.find(|c: char| !c.is_ascii_digit() && !".,".contains(c));
        let end = core.len() - digits.len() + end.unwrap_or(digits.len());
        Some(core.split_at(end))
    }
}

/// `7:40`, or with another mark between.
pub(super) fn clock(core: &str, mark: char) -> Option<Form<'_>> {
    let (hour, minute) = core.split_once(mark)?;
    let is_minute = minute.len() == 2;
    let (hour, minute) = (whole(hour, 2)?, whole(minute, 2)?);
    (is_minute && hour <= 24 && minute < 60).then_some(Form::Clock(hour, minute))
}

/// A date of whole numbers in the order of year, month, day.
pub(super) fn date<'text>(year: u64, month: u64, day: u64) -> Option<Form<'text>> {
    let month = usize::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
    let is_date = (1..=31).contains(&day) && (1_000..10_000).contains(&year);
    is_date.then_some(Form::Date(year, month, day))
}

fn iso_date(core: &str) -> Option<Form<'_>> {
    let parts: Vec<&str> = core.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let is_iso = (year.len(), month.len(), day.len()) == (4, 2, 2);
    is_iso.then(|| date(whole(year, 4)?, whole(month, 2)?, whole(day, 2)?))?
}

fn fraction(core: &str) -> Option<Form<'_>> {
    let (part, of) = match core {
        "½" => (1, 2),
        "¼" => (1, 4),
        "¾" => (3, 4),
        _ => {
            let (part, of) = core.split_once('/')?;
            (whole(part, 1)?, whole(of, 2)?)
        }
    };
    let is_common = [2, 3, 4, 5, 8, 10].contains(&of) && (1..of).contains(&part);
    is_common.then_some(Form::Fraction(part, of))
}

/// Numbers of at most two digits with dashes between them.
fn counts(core: &str) -> Option<Form<'_>> {
    let (mut numbers, mut rest) = (Vec::new(), core);
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let Some(number) = whole(&rest[..end], 2) else { break };
        numbers.push(number);
        rest = &rest[end..];
        let Some(behind) = rest.strip_prefix(DASHES) else { break };
        if !behind.starts_with(|c: char| c.is_ascii_digit()) {
            break;
        }
        rest = behind;
    }
    let is_whole = rest.is_empty()
        || rest.strip_prefix(DASHES).is_some_and(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || DASHES.contains(&c))
        });
    match numbers[..] {
        _ if !is_whole => None,
        [from, to] if from < to => Some(Form::Span(from, to, rest)),
        [_, _, _, ..] => Some(Form::Rhythm(numbers, rest)),
        _ => None,
    }
}
