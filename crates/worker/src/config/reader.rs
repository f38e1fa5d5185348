//! Texts go in by name, typed values come out; whatever is wrong is kept, and said at the end.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::fault::{Fault, Faults};
use super::knobs;
use super::layers::{Layers, Origin};

/// Reads each setting once.
pub(super) struct Reader {
    layers: Layers,
    /// Settings that are shown otherwise than they were set.
    shown: BTreeMap<&'static str, String>,
    /// Settings that somebody asked for.
    read: Vec<&'static str>,
}

impl Reader {
    pub(super) fn new(layers: Layers) -> Self {
        Self { layers, shown: BTreeMap::new(), read: Vec::new() }
    }

    /// The setting as `parse` understands it. Its error says what the setting should be.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.read.push(name);
        let setting = self.layers.settings.get(name).expect("only settings of the file are read");
        let (origin, result) = (setting.origin, parse(&setting.text));
        result.map_err(|message| self.fault(origin.spell(name), message)).ok()
    }

    /// The setting as it stands; `None` when it is empty.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.read(name, |text| Ok(text.to_owned()));
        text.filter(|text| !text.is_empty())
    }

    /// Whether nobody has set it.
    pub(super) fn is_empty(&self, name: &'static str) -> bool {
        self.layers.settings.get(name).is_none_or(|setting| setting.text.is_empty())
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, |text| match text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err("is true or false".to_owned()),
        })
    }

    pub(super) fn count(
        &mut self,
        name: &'static str,
        range: RangeInclusive<usize>,
    ) -> Option<usize> {
        self.read(name, |text| count(text, &range))
    }

    /// A number, or what `auto` stands for.
    pub(super) fn count_or_auto(
        &mut self,
        name: &'static str,
        range: RangeInclusive<usize>,
        auto: usize,
    ) -> Option<usize> {
        let number = self.read(name, |text| match text {
            "auto" => Ok(auto),
            _ => count(text, &range).map_err(|message| format!("{message}, or auto")),
        })?;
        self.show(name, number.to_string());
        Some(number)
    }

    pub(super) fn duration(
        &mut self,
        name: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.read(name, |text| {
            let limits = || {
                let (from, to) = (range.start(), range.end());
                format!("is a time from {from:?} to {to:?}, such as \"90s\", \"20m\" or 90")
            };
            duration(text).filter(|time| range.contains(time)).ok_or_else(limits)
        })
    }

    /// Shows `name` as `text` from now on.
    pub(super) fn show(&mut self, name: &'static str, text: String) {
        self.shown.insert(name, text);
    }

    /// Keeps a fault.
    pub(super) fn fault(&mut self, name: String, message: impl Into<String>) {
        self.layers.faults.push(Fault::new(name, message));
    }

    /// Keeps the fault of a required setting that nobody set.
    pub(super) fn missing(&mut self, name: &str, message: &str) {
        self.fault(Origin::Environment.spell(name), format!("is not set; {message}"));
    }

    /// The configuration, with every setting as it may be shown; or all faults.
    pub(super) fn finish<C>(self, config: Option<C>) -> Result<(C, Settled), Faults> {
        let Self { layers, mut shown, read } = self;
        // A setting that nobody reads would be a promise that nobody keeps.
        debug_assert!(knobs::names().all(|name| read.contains(&name)), "only {read:?} are read");
        match config {
            Some(config) if layers.faults.is_empty() => {
                for (name, setting) in layers.settings {
                    shown.entry(name).or_insert(setting.text);
                }
                Ok((config, Settled { shown, notes: layers.notes }))
            }
            _ => Err(Faults(layers.faults)),
        }
    }
}

/// What became of all settings.
pub(super) struct Settled {
    pub(super) shown: BTreeMap<&'static str, String>,
    pub(super) notes: Vec<String>,
}

fn count(text: &str, range: &RangeInclusive<usize>) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("is a whole number from {} to {}", range.start(), range.end()))
}

/// A number with `ms`, `s`, `m` or `h`, or of seconds.
fn duration(text: &str) -> Option<Duration> {
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
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1", "1d", "1h30m", "soon", "1e999"] {
            assert_eq!(duration(text), None, "{text}");
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
