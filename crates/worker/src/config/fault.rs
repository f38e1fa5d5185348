//! What is wrong with a configuration: all of it at once, one sentence each.

use std::fmt;

/// One setting at fault. Never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Fault {
    /// The setting, as it was written.
    pub(crate) name: String,
    /// What is wrong, and what to do.
    pub(crate) message: String,
}

impl Fault {
    pub(super) fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// Every fault of a configuration; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(faults) = self;
        let lines: Vec<String> = faults.iter().map(|fault| format!("  {fault}")).collect();
        write!(f, "the configuration cannot be used:\n{}", lines.join("\n"))
    }
}
