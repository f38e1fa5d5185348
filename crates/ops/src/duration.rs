//! `90`, `90s`, `5m` or `1h` goes in; the length of time comes out.

use std::time::Duration;

/// Reads a whole number of seconds, minutes or hours; without a unit, seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3600),
        _ => (text, 1),
    };
    let seconds: u32 = number.parse().map_err(|_| "a time is such as 90, 90s, 5m or 1h")?;
    Ok(Duration::from_secs(u64::from(seconds) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let read = |text| parse(text).map(|duration| duration.as_secs());
        assert_eq!(
            [read("90"), read("90s"), read("5m"), read("1h")].map(Result::unwrap),
            [90, 90, 300, 3600]
        );
        assert!(["", "s", "-1", "1d", "1.5s", "é"].into_iter().all(|text| parse(text).is_err()));
    }
}
