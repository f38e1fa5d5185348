//! In place of the database, in a build that leaves it out.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::time::Duration;

use anyhow::Context;
use settings::QueriesConfig;

use crate::cli_error::CliError;

/// How a database does: never known here.
pub(crate) struct CheckUp {
    pub(crate) server: String,
    pub(crate) lacks: Vec<String>,
    pub(crate) lookups: Vec<Lookup>,
    #[expect(dead_code, reason = "nobody makes one")]
    never: Infallible,
}

/// A query, as it was tried: never known here.
pub(crate) struct Lookup {
    pub(crate) name: &'static str,
    pub(crate) p95: Duration,
    pub(crate) scans: Vec<String>,
}

/// Rows of an outbox: never known here.
pub(crate) struct OutboxCount {
    pub(crate) state: String,
    pub(crate) rows: u64,
    pub(crate) oldest: Duration,
    #[expect(dead_code, reason = "nobody makes one")]
    never: Infallible,
}

/// There is none to count.
pub(crate) fn outbox_count(
    _: &str,
    _: &str,
    _: Option<&str>,
) -> impl Future<Output = anyhow::Result<Option<Vec<OutboxCount>>>> + use<> {
    ready(Err(CliError::left_out("postgres")).context("DATABASE_URL"))
}

/// There is none to hand over again.
pub(crate) fn outbox_resend(
    _: &str,
    _: &str,
    _: &str,
) -> impl Future<Output = anyhow::Result<u64>> + use<> {
    ready(Err(CliError::left_out("postgres")).context("DATABASE_URL"))
}

/// There is none to change.
pub(crate) fn migrate(_: &str) -> impl Future<Output = anyhow::Result<Vec<String>>> + use<> {
    ready(Err(CliError::left_out("postgres")).context("DATABASE_URL"))
}

/// There is none to ask.
pub(crate) fn check_up(
    _: &str,
    _: &QueriesConfig,
) -> impl Future<Output = anyhow::Result<CheckUp>> + use<> {
    ready(Err(CliError::left_out("postgres")).context("DATABASE_URL"))
}
