//! Numbers and times go in, words for people come out.

use chrono::{DateTime, Utc};
use stillcast_enqueue::Eta;

/// A length of time for people: `0.4 s`, `5 min 03 s`, `2 h 00 min`, `3 d 4 h`.
pub(crate) fn seconds(span: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let whole = span.round().clamp(0.0, 1e15) as u64;
    match whole {
        0..60 => format!("{:.1} s", span.max(0.0)),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// An interval for people: `5.0 s to 2 min 10 s`.
pub(crate) fn between(eta: Eta) -> String {
    format!("{} to {}", seconds(eta.from_s), seconds(eta.to_s))
}

/// A size for people: `812 B`, `4.2 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    let mut size = count as f64;
    let mut units = ["B", "KiB", "MiB", "GiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, next);
    }
    if unit == "B" { format!("{count} B") } else { format!("{size:.1} {unit}") }
}

/// A moment for people, in UTC like every other time of the project.
pub(crate) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_stay_short() {
        let cases =
            [(0.04, "0.0 s"), (59.2, "59.2 s"), (60.0, "1 min 00 s"), (303.4, "5 min 03 s")];
        for (span, words) in
            cases.into_iter().chain([(7200.0, "2 h 00 min"), (273_600.0, "3 d 4 h")])
        {
            assert_eq!(seconds(span), words);
        }
    }

    #[test]
    fn sizes_have_one_digit() {
        assert_eq!((bytes(812), bytes(4_404_019)), ("812 B".into(), "4.2 MiB".into()));
        assert_eq!(bytes(1024), "1.0 KiB");
    }
}
