//! What became of all settings goes in; a page for people or programs comes out, secrets hidden.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::knobs::{Knobs, setting_of};

/// Every setting as it may be shown, and what is worth saying.
#[derive(Clone, Debug)]
pub struct Settled {
    knobs: Knobs,
    shown: BTreeMap<&'static str, String>,
    notes: Vec<String>,
}

impl Settled {
    pub(crate) fn new(
        knobs: Knobs,
        shown: BTreeMap<&'static str, String>,
        notes: Vec<String>,
    ) -> Self {
        Self { knobs, shown, notes }
    }

    /// Sentences about settings that are no fault and do not do what one may expect.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The text of the defaults, sentences included, with what became of each setting. Without
    /// secrets it can be read again, and means the same.
    pub fn to_toml(&self) -> String {
        let line = |line: &'static str| match setting_of(line) {
            Some(name) => format!("{name} = {}\n", self.value(name)),
            None => format!("{line}\n"),
        };
        self.knobs.defaults.lines().map(line).collect()
    }

    /// Every setting by its name.
    pub fn to_json(&self) -> Value {
        let pair = |name: &'static str| (name.to_owned(), self.value(name));
        Value::Object(self.knobs.names().map(pair).collect())
    }

    /// Numbers and truths as such, all else as text; TOML and JSON write these alike.
    fn value(&self, name: &str) -> Value {
        let text = self.shown.get(name).map(String::as_str).unwrap_or_default();
        match (text.parse::<u64>(), text.parse::<bool>()) {
            (Ok(number), _) => number.into(),
            (_, Ok(truth)) => truth.into(),
            _ => text.into(),
        }
    }
}
