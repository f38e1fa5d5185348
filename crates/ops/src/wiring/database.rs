//! A database's address goes in; what was changed there, or how it does, comes out.

use std::time::Duration;

use anyhow::Context;
use providers::postgres::{self, Database, MigrationError, Queries};
use settings::QueriesConfig;
use tokio::time::timeout;

use crate::cli_error::CliError;

pub(crate) use providers::postgres::{CheckUp, Lookup};

/// How long its connections may take to end.
const CLOSE: Duration = Duration::from_secs(2);

/// Applies the migrations that are missing, and says what they were.
pub(crate) async fn migrate(url: &str) -> anyhow::Result<Vec<String>> {
    postgres::migrate(url).await.map_err(|error| match error {
        MigrationError::Address(_) => CliError::configuration(error.to_string()),
        MigrationError::Away(_) => CliError::missing(format!(
            "{error}; start it, install it with `apt-get install postgresql`, or correct the address"
        )),
        MigrationError::Refused(refused) => CliError::failed(refused.to_string()),
    })
}

/// Asks it how it does; changes nothing.
pub(crate) async fn check_up(url: &str, queries: &QueriesConfig) -> anyhow::Result<CheckUp> {
    let queries = match &queries.messages {
        Some(messages) => Queries::of(messages, queries.sources.as_deref())
            .context("MESSAGES_QUERY and SOURCES_QUERY")?,
        None => Queries::default(),
    };
    let database = Database::open(url, "stillcast doctor", 1)?;
    let checked = database.check_up(&queries).await;
    // What was found out stands, however the goodbye goes.
    let _ = timeout(CLOSE, database.close()).await;
    Ok(checked?)
}
