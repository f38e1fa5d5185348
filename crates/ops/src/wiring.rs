//! Addresses go in, the store and the database behind them come out: the one place that names
//! concrete providers.

#[cfg(feature = "http")]
mod http;
#[cfg(not(feature = "http"))]
#[path = "wiring/no_http.rs"]
mod http;
mod store;
#[cfg(not(feature = "top"))]
#[path = "wiring/no_top.rs"]
mod top;
#[cfg(feature = "top")]
mod top;

#[cfg(not(feature = "postgres"))]
use anyhow::Context;
#[cfg(feature = "postgres")]
use providers::postgres::{self, MigrationError};

use crate::cli_error::CliError;

pub(crate) use self::http::{Server, feed, log};
pub(crate) use self::store::store;
pub(crate) use self::top::Terminal;
pub(crate) use providers::store::Store;

/// Applies the migrations that are missing, and says what they were.
#[cfg(feature = "postgres")]
pub(crate) async fn migrate(url: &str) -> anyhow::Result<Vec<String>> {
    postgres::migrate(url).await.map_err(|error| match error {
        MigrationError::Address(_) => CliError::configuration(error.to_string()),
        MigrationError::Away(_) => CliError::missing(format!(
            "{error}; start it, install it with `apt-get install postgresql`, or correct the address"
        )),
        MigrationError::Refused(refused) => CliError::failed(refused.to_string()),
    })
}

/// A build without a database has none to change.
#[cfg(not(feature = "postgres"))]
pub(crate) fn migrate(_: &str) -> impl Future<Output = anyhow::Result<Vec<String>>> + use<> {
    std::future::ready(Err(CliError::left_out("postgres")).context("DATABASE_URL"))
}
