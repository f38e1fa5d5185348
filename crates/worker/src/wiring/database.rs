//! The database's settings go in; where conversations are read comes out, and who hands over its outbox.

use std::sync::Arc;

use anyhow::Context;
use pipeline::SourceStore;
use providers::postgres::{Database, PostgresSources, Queries, Relay, RelayOptions};
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinSet;

use crate::config::{Config, DatabaseConfig};

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

/// Hands over what applications write into the outbox, until the set is dropped.
pub(crate) fn relay(config: &Config, worker: &str) -> anyhow::Result<JoinSet<()>> {
    let DatabaseConfig { url, outbox, .. } = &config.database;
    let Some(url) = url.as_ref().filter(|_| outbox.relays) else { return Ok(JoinSet::new()) };
    let relay = Relay::new(RelayOptions {
        database_url: url.expose_secret().to_owned(),
        name: format!("{worker} outbox"),
        redis_url: config.queue.redis_url.expose_secret().to_owned(),
        queue: config.queue.name.clone(),
        keep: outbox.keep,
    })?;
    Ok(relay.start())
}

fn database(config: &DatabaseConfig, name: &str, tasks: usize) -> anyhow::Result<Option<Database>> {
    let open = |url: &SecretString| Database::open(url.expose_secret(), name, tasks);
    Ok(config.url.as_ref().map(open).transpose()?)
}
