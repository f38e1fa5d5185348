//! A setting's text goes in; a truth, a number or a length of time comes out, or what it should be.

use std::ops::RangeInclusive;
use std::time::Duration;

pub(crate) fn flag(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("is true or false".to_owned()),
    }
}

pub(crate) fn count(text: &str, range: &RangeInclusive<usize>) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("is a whole number from {} to {}", range.start(), range.end()))
}

pub(crate) fn duration(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    time(text).filter(|time| range.contains(time)).ok_or_else(|| {
        let (from, to) = (range.start(), range.end());
        format!("is a time from {from:?} to {to:?}, such as \"90s\", \"20m\" or 90")
    })
}

/// A number with `ms`, `s`, `m` or `h`, or of seconds.
fn time(text: &str) -> Option<Duration> {
    let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let number: f64 = number.trim_end().parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_or_are_seconds() {
        for (text, ms) in
            [("90", 90_000), ("90s", 90_000), ("1.5m", 90_000), ("250ms", 250), ("2h", 7_200_000)]
        {
            assert_eq!(time(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1", "1d", "1h30m", "soon", "1e999"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_keep_to_their_range() {
        assert_eq!(count("4", &(1..=8)), Ok(4));
        for text in ["0", "9", "4.0", "many", ""] {
            assert!(count(text, &(1..=8)).is_err(), "{text}");
        }
    }
}
