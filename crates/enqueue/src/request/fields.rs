//! The fields of one JSON object, each read by its kind; what is wrong with any of them is kept, so
//! that a caller learns all of it at once.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::invalid::Problem;
use crate::validate::whole_number;
use crate::{Identifier, InvalidField};

/// Longest name or number that an error repeats.
const MAX_REPEATED: usize = 32;

/// What an object holds, by field; a field that is null is not given.
pub(super) struct Fields<'json> {
    /// The path of the object itself; empty for the request.
    path: &'static str,
    given: Vec<(String, &'json RawValue)>,
    asked: Vec<&'static str>,
    faults: Vec<InvalidField>,
}

impl<'json> Fields<'json> {
    /// Reads `json`, which shall be an object, at `path`.
    pub(super) fn of(path: &'static str, json: &'json RawValue) -> Result<Self, InvalidField> {
        let name = if path.is_empty() { "request" } else { path };
        let read = serde_json::from_str(json.get());
        let Object(given) = read.map_err(|_| InvalidField::value(name, "an object", kind(json)))?;
        Ok(Self { path, given, asked: Vec::new(), faults: Vec::new() })
    }

    /// Reads one field with `parse`; says what it `takes` where that fails.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&'json str) -> Option<T>,
    ) -> Option<T> {
        let json = self.take(name)?;
        let value = parse(json.get());
        if value.is_none() {
            self.fault(name, takes, kind(json));
        }
        value
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.read(name, "a string", string)
    }

    pub(super) fn identifier(&mut self, name: &'static str) -> Option<Identifier> {
        self.parse(name, Identifier::GRAMMAR, |text| Identifier::parse(name, text))
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, "`true` or `false`", |json| serde_json::from_str(json).ok())
    }

    pub(super) fn time(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        self.parse(name, "a time such as `2030-01-01T06:00:00Z`", str::parse)
    }

    /// A number; whether it lies in `range` is judged where all jobs are.
    pub(super) fn number<N>(&mut self, name: &'static str, range: &RangeInclusive<N>) -> Option<N>
    where
        N: ToString + serde::de::DeserializeOwned,
    {
        self.read(name, &whole_number(range), |json| serde_json::from_str(json).ok())
    }

    /// A word that `parse` knows.
    pub(super) fn parse<T, E>(
        &mut self,
        name: &'static str,
        takes: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.read(name, takes, |json| parse(&string(json)?).ok())
    }

    /// An object in the request, read by `read`.
    pub(super) fn object<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        self.object_at(name, name, read)
    }

    /// The same in this object, where its `path` is longer.
    pub(super) fn object_at<T>(
        &mut self,
        name: &'static str,
        path: &'static str,
        read: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let json = self.take(name)?;
        match Self::of(path, json) {
            Ok(mut fields) => {
                let value = read(&mut fields);
                self.faults.extend(fields.into_faults());
                Some(value)
            }
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    /// What a field that must be there takes, when it is not there.
    pub(super) fn require(&mut self, name: &'static str, takes: &str) {
        if !self.given.iter().any(|(given, json)| given == name && !is_null(json)) {
            self.fault(name, takes, "nothing".to_owned());
        }
    }

    pub(super) fn fault(&mut self, name: &str, takes: &str, got: impl Into<String>) {
        self.faults.push(InvalidField::value(self.path_of(name), takes, got));
    }

    /// All that is left and all that is wrong: what nobody has asked for is not a field.
    pub(super) fn into_faults(mut self) -> Vec<InvalidField> {
        for (name, _) in std::mem::take(&mut self.given) {
            let problem = Problem::Unknown { known: self.asked.clone() };
            self.faults.push(InvalidField { field: self.path_of(shown(&name)), problem });
        }
        self.faults
    }

    /// Of an object that may hold any field, its strings.
    pub(super) fn strings(&mut self) -> BTreeMap<String, String> {
        let mut strings = BTreeMap::new();
        for (name, json) in std::mem::take(&mut self.given) {
            match string(json.get()) {
                Some(_) if strings.contains_key(&name) => {
                    self.fault(shown(&name), "one value", "two");
                }
                Some(text) => drop(strings.insert(name, text)),
                None => self.fault(shown(&name), "a string", kind(json)),
            }
        }
        strings
    }

    /// What the whole object takes and got, unless one of its fields is at fault already.
    pub(super) fn fault_of_all(&mut self, takes: &str, got: &str) {
        if self.faults.is_empty() {
            self.faults.push(InvalidField::value(self.path, takes, got));
        }
    }

    fn take(&mut self, name: &'static str) -> Option<&'json RawValue> {
        self.asked.push(name);
        let (found, rest) =
            std::mem::take(&mut self.given).into_iter().partition(|(given, _)| given == name);
        self.given = rest;
        let found: Vec<(String, &RawValue)> = found;
        if found.len() > 1 {
            self.fault(name, "one value", found.len().to_string());
            return None;
        }
        found.first().map(|(_, json)| *json).filter(|json| !is_null(json))
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// An object as it stands, fields that stand twice included.
struct Object<'json>(Vec<(String, &'json RawValue)>);

impl<'json> Deserialize<'json> for Object<'json> {
    fn deserialize<D: Deserializer<'json>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'json> Visitor<'json> for ObjectVisitor {
    type Value = Object<'json>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'json>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut given = Vec::new();
        while let Some(field) = map.next_entry()? {
            given.push(field);
        }
        Ok(Object(given))
    }
}

fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

fn is_null(json: &RawValue) -> bool {
    json.get() == "null"
}

/// A name as an error may repeat it: a sentence in its place may be private.
fn shown(name: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let plain = !name.is_empty() && name.len() <= MAX_REPEATED && name.chars().all(is_plain);
    if plain { name } else { "?" }
}

/// What a value is: a number itself, of all else only the kind.
fn kind(json: &RawValue) -> String {
    let text = json.get();
    match text.as_bytes().first() {
        Some(b'"') => match string(text).map(|text| text.chars().count()) {
            Some(0) => "an empty string".to_owned(),
            Some(length) => format!("a string of {length} characters"),
            None => "a string with half a surrogate pair".to_owned(),
        },
        Some(b'[') => "a list".to_owned(),
        Some(b'{') => "an object".to_owned(),
        Some(b'0'..=b'9' | b'-') if text.len() > MAX_REPEATED => "a long number".to_owned(),
        _ => text.to_owned(),
    }
}
