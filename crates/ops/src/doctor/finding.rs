//! What was found out about one thing, how bad it is, and what to do.

use std::fmt;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// Work goes on, slower, dearer or less safely.
    Warning,
    /// Work stops, or will.
    Error,
}

/// One line of the doctor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// What it is about, in one stable word, such as `redis`.
    pub(crate) about: String,
    /// What was measured, or what is wrong.
    pub(crate) found: String,
    /// What to do; null where nothing is to be done.
    pub(crate) cure: Option<String>,
}

impl Finding {
    pub(crate) fn ok(about: &str, found: impl Into<String>) -> Self {
        Self { severity: Severity::Ok, about: about.to_owned(), found: found.into(), cure: None }
    }

    pub(crate) fn warning(about: &str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        let cure = Some(cure.into());
        Self { severity: Severity::Warning, cure, ..Self::ok(about, found) }
    }

    pub(crate) fn error(about: &str, found: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { severity: Severity::Error, ..Self::warning(about, found, cure) }
    }

    /// As it should be, unless `severity` is worse: then with what to do.
    pub(crate) fn judged(
        about: &str,
        found: impl Into<String>,
        (severity, cure): (Severity, &str),
    ) -> Self {
        match severity {
            Severity::Ok => Self::ok(about, found),
            Severity::Warning => Self::warning(about, found, cure),
            Severity::Error => Self::error(about, found, cure),
        }
    }
}

/// An error with its causes, each told once: some repeat theirs.
pub(super) fn said(error: &anyhow::Error) -> String {
    let causes = error.chain().map(ToString::to_string);
    causes.fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        known if known.ends_with(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

impl Severity {
    /// The worst that `amount` is, where more is worse.
    pub(crate) fn above(amount: f64, warning: f64, error: f64) -> Self {
        match amount {
            _ if amount >= error => Self::Error,
            _ if amount >= warning => Self::Warning,
            _ => Self::Ok,
        }
    }

    /// The same, where less is worse.
    pub(crate) fn below(amount: f64, warning: f64, error: f64) -> Self {
        Self::above(-amount, -warning, -error)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let error = anyhow::anyhow!("deep").context("wide: deep").context("where");
        assert_eq!(said(&error), "where: wide: deep");
    }

    #[test]
    fn bounds_belong_to_what_is_worse() {
        use Severity::{Error, Ok, Warning};
        assert_eq!(
            [0.9, 1.0, 2.0].map(|amount| Severity::above(amount, 1.0, 2.0)),
            [Ok, Warning, Error]
        );
        assert_eq!(
            [2.1, 2.0, 1.0].map(|amount| Severity::below(amount, 2.0, 1.0)),
            [Ok, Warning, Error]
        );
    }
}
