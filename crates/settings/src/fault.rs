//! What is wrong with each setting goes in; one error that says all of it comes out.

use std::fmt;

use serde::Serialize;

/// One setting at fault. Never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The setting, as it was written.
    pub name: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// Every fault of a configuration, in the order in which they were found; there is at least one.
///
/// As JSON, a list of objects with `name` and `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        debug_assert!(!faults.is_empty(), "a section was given up, and nobody said why");
        Self(faults)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        let Self(faults) = self;
        faults.iter()
    }
}

/// One fault is one sentence; several stand in a list.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(faults) = self;
        f.write_str("the configuration cannot be used:")?;
        match faults.as_slice() {
            [fault] => write!(f, " {fault}"),
            faults => faults.iter().try_for_each(|fault| write!(f, "\n  {fault}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fault_is_one_sentence_and_several_are_a_list() {
        let fault = |name| Fault::new(name, "is wrong");
        let one = Faults::new(vec![fault("A")]).to_string();
        assert_eq!(one, "the configuration cannot be used: A: is wrong");
        let two = Faults::new(vec![fault("A"), fault("B")]).to_string();
        assert_eq!(two, "the configuration cannot be used:\n  A: is wrong\n  B: is wrong");
    }
}
