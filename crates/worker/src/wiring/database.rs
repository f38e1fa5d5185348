//! The database's settings go in; where conversations are read comes out.

use std::sync::Arc;

use anyhow::Context;
use pipeline::SourceStore;
use providers::postgres::{Database, PostgresSources, Queries};
use secrecy::{ExposeSecret, SecretString};

use crate::config::DatabaseConfig;

/// Asks the database who it is; `None` where there is none.
pub(crate) async fn probe_database(config: &DatabaseConfig) -> anyhow::Result<Option<String>> {
    let Some(database) = database(config, "stillcast probe", 1)? else { return Ok(None) };
    let asked = database.probe().await;
    database.close().await;
    Ok(Some(asked?))
}

/// Where conversations are read; `None` where there is no database.
pub(super) fn sources(
    config: &DatabaseConfig,
    worker: &str,
    tasks: usize,
) -> anyhow::Result<Option<Arc<dyn SourceStore>>> {
    let Some(database) = database(config, worker, tasks)? else { return Ok(None) };
    let queries = match &config.queries.messages {
        Some(messages) => Queries::of(messages, config.queries.sources.as_deref())
            .context("MESSAGES_QUERY and SOURCES_QUERY")?,
        None => Queries::default(),
    };
    Ok(Some(Arc::new(PostgresSources::new(database, queries))))
}

fn database(config: &DatabaseConfig, name: &str, tasks: usize) -> anyhow::Result<Option<Database>> {
    let open = |url: &SecretString| Database::open(url.expose_secret(), name, tasks);
    Ok(config.url.as_ref().map(open).transpose()?)
}
