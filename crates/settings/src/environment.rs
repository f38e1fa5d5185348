//! A process goes in; the names and values that it was given come out.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Where the settings of a program come from, beside its defaults.
#[derive(Clone, Default)]
pub struct Sources {
    /// A file in the form of the defaults; goes over them.
    pub file: Option<PathBuf>,
    /// Goes over both.
    pub environment: Environment,
}

impl Sources {
    /// `file`, and what this process was given.
    pub fn of_process(file: Option<PathBuf>) -> Self {
        Self { file, environment: Environment::of_process() }
    }
}

/// Names and values, by name. No `Debug`: some are secrets.
#[derive(Clone, Default)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// What this process was given.
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value of `name`; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    /// Whether `name` is set to anything.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Every pair, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.0.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The same less the pairs whose name `is_dropped`.
    #[must_use]
    pub fn without(&self, is_dropped: impl Fn(&str) -> bool) -> Self {
        let is_kept = |(name, _): &(&OsStr, &OsStr)| !name.to_str().is_some_and(&is_dropped);
        self.iter().filter(is_kept).collect()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        let mut pairs: Vec<(OsString, OsString)> = pairs.collect();
        // Faults come in the same order, however the process was started.
        pairs.sort();
        Self(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_counts_as_none() {
        let environment: Environment = [("HOME", "/srv"), ("EMPTY", "")].into_iter().collect();
        assert_eq!(environment.get("HOME"), Some(OsStr::new("/srv")));
        assert!(!environment.has("EMPTY") && !environment.has("home"));
    }

    #[test]
    fn what_is_dropped_is_gone_and_the_rest_in_order() {
        let pairs = [("C", "3"), ("A", "1"), ("B", "2")];
        let environment = pairs.into_iter().collect::<Environment>().without(|name| name == "B");
        let names: Vec<&OsStr> = environment.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["A", "C"]);
    }
}
