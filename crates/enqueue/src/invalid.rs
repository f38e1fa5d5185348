//! What is wrong with a request: each field by its path, what it takes, and what it got.
//!
//! A text is never repeated, since it may be private; a number is.

use std::fmt;

/// One field of a request that cannot be as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct InvalidField {
    /// Its path in the request, such as `options.voice`; `request` where it is no object at all.
    pub field: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// It holds what it does not take.
    Value {
        /// What it takes, such as `a whole number from 0 to 9`.
        takes: String,
        /// What it got: a number itself, of all else only the kind.
        got: String,
    },
    /// There is no such field.
    Unknown {
        /// The fields that are there.
        known: Vec<&'static str>,
    },
}

impl InvalidField {
    /// `field` takes `takes`, and got `got`.
    pub fn value(
        field: impl Into<String>,
        takes: impl Into<String>,
        got: impl Into<String>,
    ) -> Self {
        let problem = Problem::Value { takes: takes.into(), got: got.into() };
        Self { field: field.into(), problem }
    }

    /// Whether `other` lies in the same field of the request itself.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        let top = |field: &Self| field.field.split('.').next().map(str::to_owned);
        top(self) == top(other)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { takes, got } => write!(f, "takes {takes}, got {got}"),
            Self::Unknown { known } => {
                write!(f, "is not a field; there are `{}`", known.join("`, `"))
            }
        }
    }
}

/// A request that no worker could ever fulfil, found before anything is written: all of its faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidJob(Vec<InvalidField>);

impl InvalidJob {
    /// An error when there is a fault.
    pub(crate) fn unless_empty(fields: Vec<InvalidField>) -> Result<(), Self> {
        if fields.is_empty() { Ok(()) } else { Err(Self(fields)) }
    }

    /// The faults, in the order of the request's fields; at least one.
    pub fn fields(&self) -> &[InvalidField] {
        &self.0
    }
}

impl From<InvalidField> for InvalidJob {
    fn from(field: InvalidField) -> Self {
        Self(vec![field])
    }
}

impl fmt::Display for InvalidJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.0.iter().map(InvalidField::to_string).collect();
        f.write_str(&faults.join("; "))
    }
}

impl std::error::Error for InvalidJob {}
