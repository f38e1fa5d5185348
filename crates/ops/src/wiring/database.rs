//! A database's address goes in; what was changed there, how it does, or what its outbox holds, comes out.

use std::fmt::Display;
use std::time::Duration;

use anyhow::Context;
use providers::postgres::{self, Database, MigrationError, Outbox, Queries};
use settings::QueriesConfig;
use tokio::time::timeout;

use crate::cli_error::CliError;

pub(crate) use providers::postgres::{CheckUp, Lookup, OutboxCount};

/// How long its connections may take to end.
const CLOSE: Duration = Duration::from_secs(2);
/// Longest look into the outbox.
const ASK: Duration = Duration::from_secs(30);

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

/// How many rows of the outbox are in each state, of those since then, an RFC 3339 time; `None` where the
/// database has none.
pub(crate) async fn outbox_count(
    url: &str,
    queue: &str,
    since: Option<&str>,
) -> anyhow::Result<Option<Vec<OutboxCount>>> {
    let database = Database::open(url, "stillcast outbox", 1)?;
    let outbox = Outbox::new(database.clone(), queue);
    let counted = async {
        if outbox.is_there().await? { outbox.count(since).await.map(Some) } else { Ok(None) }
    };
    answered(&database, counted).await
}

/// Has rows without a known end be handed over again; how many they are.
pub(crate) async fn outbox_resend(url: &str, queue: &str, since: &str) -> anyhow::Result<u64> {
    let database = Database::open(url, "stillcast outbox", 1)?;
    let outbox = Outbox::new(database.clone(), queue);
    answered(&database, outbox.resend(since)).await
}

async fn answered<T, E: Display>(
    database: &Database,
    asking: impl Future<Output = Result<T, E>>,
) -> anyhow::Result<T> {
    let asked = timeout(ASK, asking).await;
    // What was answered stands, however the goodbye goes.
    let _ = timeout(CLOSE, database.close()).await;
    let asked =
        asked.map_err(|_| CliError::missing("DATABASE_URL: the database does not answer"))?;
    asked.map_err(|error| CliError::missing(format!("DATABASE_URL: {error}")))
}
