//! Texts go in by name, typed values come out; whatever is wrong is kept, and said at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;

use crate::environment::Sources;
use crate::fault::{Fault, Faults};
use crate::knobs::Knobs;
use crate::layers::{Layers, Origin, Setting};
use crate::settled::Settled;
use crate::{redact, value};

/// Hands out settings by their names in the defaults; panics on any other name.
///
/// Every method that answers `None` for a fault keeps it: [`finish`](Self::finish) then fails, so
/// that whatever was made of the `None` is never used.
pub struct Reader {
    knobs: Knobs,
    layers: Layers,
    /// Settings that are shown otherwise than they were set.
    shown: BTreeMap<&'static str, String>,
    /// Settings that somebody asked for.
    read: BTreeSet<&'static str>,
}

impl Reader {
    /// The settings that `knobs` name, as `sources` have them.
    pub fn new(knobs: Knobs, sources: &Sources) -> Self {
        let layers = Layers::new(knobs, sources);
        Self { knobs, layers, shown: BTreeMap::new(), read: BTreeSet::new() }
    }

    /// The setting as `parse` understands it; `None` when it is at fault. An error of `parse` says
    /// what the setting should be, such as `is true or false`, and never repeats it.
    pub fn read<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (name, setting) = self.setting(name);
        let (origin, result) = (setting.origin, parse(&setting.text));
        self.read.insert(name);
        result.map_err(|message| self.fault(&origin.spell(name), message)).ok()
    }

    /// The same, but `None` also when nobody has set it; `parse` never sees an empty text.
    pub fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let unless_empty = |text: &str| (!text.is_empty()).then(|| parse(text)).transpose();
        self.read(name, unless_empty).flatten()
    }

    /// The same, and to have set it nowhere is a fault; `hint` says what to set it to.
    pub fn required<T>(
        &mut self,
        name: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        if !self.is_set(name) {
            self.missing(name, hint);
        }
        self.optional(name, parse)
    }

    /// The setting as it stands; `None` when nobody has set it.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.optional(name, |text| Ok(text.to_owned()))
    }

    /// The same of a setting that should not be printed by accident.
    pub fn secret(&mut self, name: &str) -> Option<SecretString> {
        self.text(name).map(SecretString::from)
    }

    /// `true`, `false`, `1` or `0`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, value::flag)
    }

    /// A whole number.
    pub fn count(&mut self, name: &str, range: RangeInclusive<usize>) -> Option<usize> {
        self.read(name, |text| value::count(text, &range))
    }

    /// A whole number, or what `auto` stands for; shown as the number in either case.
    pub fn count_or_auto(
        &mut self,
        name: &str,
        range: RangeInclusive<usize>,
        auto: usize,
    ) -> Option<usize> {
        let number = self.read(name, |text| match text {
            "auto" => Ok(auto),
            _ => value::count(text, &range).map_err(|message| format!("{message}, or auto")),
        })?;
        self.show(name, number.to_string());
        Some(number)
    }

    /// A number with `ms`, `s`, `m` or `h` behind it, or of seconds.
    pub fn duration(&mut self, name: &str, range: RangeInclusive<Duration>) -> Option<Duration> {
        self.read(name, |text| value::duration(text, &range))
    }

    /// Whether anybody has set it, or the defaults do.
    pub fn is_set(&self, name: &str) -> bool {
        !self.setting(name).1.text.is_empty()
    }

    /// Shows the setting as `text` from now on.
    pub fn show(&mut self, name: &str, text: String) {
        let (name, _) = self.setting(name);
        self.shown.insert(name, text);
    }

    /// Keeps a fault of `name`, which stands as it was written.
    pub fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.layers.faults.push(Fault::new(name, message));
    }

    /// Keeps the fault that nobody has set the setting; `hint` says what to set it to.
    pub fn missing(&mut self, name: &str, hint: &str) {
        self.fault(&Origin::Environment.spell(name), format!("is not set; {hint}"));
    }

    /// What `assemble` makes of all that was read and of what became of the settings; or all faults.
    /// `assemble` is `None` only where there is one.
    pub fn finish<C>(self, assemble: Option<impl FnOnce(Settled) -> C>) -> Result<C, Faults> {
        // A setting that nobody reads would be a promise that nobody keeps.
        debug_assert_eq!(self.unread(), [""; 0], "nobody reads these");
        match assemble {
            Some(assemble) if self.layers.faults.is_empty() => Ok(assemble(self.settled())),
            _ => Err(Faults::new(self.layers.faults)),
        }
    }

    #[expect(clippy::panic, reason = "a name that no default has is the program's own slip")]
    fn setting(&self, name: &str) -> (&'static str, &Setting) {
        let found = self.layers.settings.get_key_value(name);
        let (name, setting) = found.unwrap_or_else(|| panic!("the defaults lack `{name}`"));
        (name, setting)
    }

    /// Whoever reads a secret has read the file that holds it.
    fn unread(&self) -> Vec<&'static str> {
        let files = self.read.iter().filter_map(|name| self.layers.index.secret_file_of(name));
        let read: BTreeSet<&'static str> = self.read.iter().copied().chain(files).collect();
        self.knobs.names().filter(|name| !read.contains(name)).collect()
    }

    fn settled(self) -> Settled {
        let Self { knobs, layers, mut shown, .. } = self;
        for (name, Setting { text, .. }) in layers.settings {
            let is_secret = layers.index.secret_file_of(name).is_some();
            let may_be_shown = || if is_secret { redact::secret(name, &text) } else { text };
            shown.entry(name).or_insert_with(may_be_shown);
        }
        Settled::new(knobs, shown, layers.notes)
    }
}
