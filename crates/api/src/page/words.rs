//! Numbers and moments go in; what people read comes out, always in the same few shapes.

use chrono::{DateTime, Utc};
use stillcast_enqueue::{Eta, Format, State};

/// Seconds of a minute, an hour and a day.
const UNITS: [(f64, &str); 3] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min")];

/// A length of time: `40 ms`, `0.4 s`, `12 s`, `3 min 20 s`, `5 h 2 min`.
pub(crate) fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if (0.0005..0.095).contains(&seconds) {
        return format!("{:.0} ms", seconds * 1000.0);
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let seconds = seconds.round();
    for (index, (unit, word)) in UNITS.into_iter().enumerate() {
        if seconds >= unit {
            let (smaller, smaller_word) = UNITS.get(index + 1).copied().unwrap_or((1.0, "s"));
            let rest = (seconds % unit / smaller).floor();
            let whole = (seconds / unit).floor();
            return if rest > 0.0 {
                format!("{whole} {word} {rest} {smaller_word}")
            } else {
                format!("{whole} {word}")
            };
        }
    }
    format!("{seconds} s")
}

/// How long ago, from now: `just now`, `12 s ago`, `in 3 min`.
pub(crate) fn ago(moment: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - moment).num_milliseconds() as f64 / 1000.0;
    match seconds {
        -1.0..2.0 => "just now".to_owned(),
        2.0.. => format!("{} ago", rough(seconds)),
        _ => format!("in {}", rough(-seconds)),
    }
}

/// A length of time in its largest unit alone.
pub(crate) fn rough(seconds: f64) -> String {
    let largest = UNITS.into_iter().find(|(unit, _)| seconds >= *unit);
    let (unit, word) = largest.unwrap_or((1.0, "s"));
    format!("{} {word}", (seconds / unit).floor())
}

/// When something is likely to be over, from now: `2 to 5 min`, `8 s`.
pub(crate) fn between(eta: Eta) -> String {
    let (from, to) = (rough(eta.from_s.max(1.0)), rough(eta.to_s.max(1.0)));
    if from == to {
        return from;
    }
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} to {to}"),
        _ => format!("{from} to {to}"),
    }
}

/// A moment as it is written where it must be exact.
pub(crate) fn moment(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Playing time: `3:20`, `1:02:03`.
pub(crate) fn clock(seconds: f64) -> String {
    let (hours, minutes) = ((seconds / 3600.0).floor(), (seconds % 3600.0 / 60.0).floor());
    let rest = (seconds % 60.0).floor();
    if hours > 0.0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes}:{rest:02}")
    }
}

/// Money to the cent; what is less than one, and not nothing, to the hundredth of a cent.
pub(crate) fn money(usd: f64) -> String {
    match usd {
        0.0 => "$0".to_owned(),
        0.0..0.01 => format!("${usd:.4}"),
        _ => format!("${usd:.2}"),
    }
}

/// A size: `812 B`, `1.4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes as f64 {
        bytes @ ..1e3 => format!("{bytes} B"),
        bytes @ ..1e6 => format!("{:.0} kB", bytes / 1e3),
        bytes @ ..1e9 => format!("{:.1} MB", bytes / 1e6),
        bytes => format!("{:.1} GB", bytes / 1e9),
    }
}

/// A whole number with thin spaces between its thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 job`, `12 jobs`.
pub(crate) fn jobs(number: u64) -> String {
    if number == 1 { "1 job".to_owned() } else { format!("{} jobs", count(number)) }
}

/// A state as people say it.
pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::Delayed => "waits for its time",
        State::Ready => "waits for a worker",
        State::Parked => "is parked",
        State::Leased => "is being made",
        State::Done => "is done",
        State::Dead => "is dead",
        State::Cancelled => "was cancelled",
        State::Expired => "has expired",
    }
}

/// A format as people say it.
pub(crate) fn format_of(format: Option<Format>) -> &'static str {
    match format {
        Some(Format::Audio) => "audio",
        Some(Format::Video) => "video",
        None => "unknown format",
    }
}

/// A state, or whatever else, with its first letter large.
pub(crate) fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A text apart at its backticks: every second part is something to type.
pub(crate) fn marked(text: &str) -> Vec<(bool, String)> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(index, part)| (index % 2 == 1, part.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_at_most_two_units() {
        for (seconds, said) in [
            (0.0, "0.0 s"),
            (0.02, "20 ms"),
            (0.44, "0.4 s"),
            (9.96, "10 s"),
            (59.6, "1 min"),
            (200.0, "3 min 20 s"),
            (3_600.0, "1 h"),
            (18_121.0, "5 h 2 min"),
            (90_000.0, "1 d 1 h"),
        ] {
            assert_eq!(span(seconds), said);
        }
    }

    #[test]
    fn moments_are_told_from_now() {
        let now = Utc::now();
        let at = |seconds: i64| ago(now - chrono::TimeDelta::seconds(seconds), now);
        assert_eq!([at(0), at(12), at(7_300)], ["just now", "12 s ago", "2 h ago"]);
        assert_eq!(at(-190), "in 3 min");
        let between = |from_s, to_s| between(Eta { from_s, to_s });
        assert_eq!(between(130.0, 320.0), "2 to 5 min");
        assert_eq!([between(8.0, 8.4), between(50.0, 70.0)], ["8 s", "50 s to 1 min"]);
    }

    #[test]
    fn money_sizes_and_numbers_stay_readable() {
        assert_eq!([money(0.0), money(0.0042), money(1.239)], ["$0", "$0.0042", "$1.24"]);
        assert_eq!([size(812), size(14_200), size(1_400_000)], ["812 B", "14 kB", "1.4 MB"]);
        assert_eq!([count(7), count(1_234_567)], ["7", "1\u{202f}234\u{202f}567"]);
        assert_eq!([clock(200.9), clock(3_723.0)], ["3:20", "1:02:03"]);
        assert_eq!([jobs(1), jobs(0)], ["1 job", "0 jobs"]);
    }
}
