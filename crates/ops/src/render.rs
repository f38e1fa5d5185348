//! Everything that a person or a program reads passes here: answers on stdout, the rest on stderr.

mod record;
mod stats;
mod table;

use std::io::{IsTerminal, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

pub(crate) use record::{failure, record_view, records_view};
pub(crate) use stats::stats_view;
pub(crate) use table::{Table, pairs};

/// Where answers go, and in which language.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    json: bool,
    live: bool,
}

/// Back to the start of the line, and wipes it.
const WIPE: &str = "\r\x1b[2K";

impl Screen {
    /// Progress lives only where somebody watches: on a terminal.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, live: std::io::stderr().is_terminal() }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// The answer of a command: `value` for programs, the text of `words` for people.
    pub(crate) fn answer<T: Serialize>(
        &self,
        value: &T,
        words: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { words() };
        if !text.is_empty() {
            print(&mut std::io::stdout(), &format!("{text}\n"))?;
        }
        Ok(())
    }

    /// A sentence beside the answer.
    pub(crate) fn note(&self, sentence: &str) {
        let wipe = if self.live { WIPE } else { "" };
        print_aside(&format!("{wipe}{sentence}\n"));
    }

    /// A line that stays, on a terminal only.
    pub(crate) fn live_line(&self, line: &str) {
        if self.live {
            print_aside(&format!("{WIPE}{line}\n"));
        }
    }

    /// The line that changes, on a terminal only.
    pub(crate) fn live_status(&self, line: &str) {
        if self.live {
            print_aside(&format!("{WIPE}{line}"));
        }
    }
}

/// A reader that has seen enough is no fault: `stillcast jobs | head -1`.
fn print(to: &mut impl Write, text: &str) -> std::io::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// What cannot be said on stderr can be said nowhere.
fn print_aside(text: &str) {
    let _ = print(&mut std::io::stderr(), text);
}

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
