//! `DATABASE_URL`, `MESSAGES_QUERY`, `SOURCES_QUERY`, `OUTBOX` and `OUTBOX_KEEP` go in; where conversations
//! and the outbox are, and how the former are found, comes out.

use secrecy::SecretString;
use settings::{OutboxConfig, QueriesConfig, Reader};

/// Where conversations are, and how they are found.
#[derive(Debug)]
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "this build has no database"))]
pub(crate) struct DatabaseConfig {
    /// Its address; may hold a password. `None` without a database.
    pub(crate) url: Option<SecretString>,
    /// How conversations are found there.
    pub(crate) queries: QueriesConfig,
    /// Whether jobs are handed over that applications write into its outbox.
    pub(crate) outbox: OutboxConfig,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader) -> Option<DatabaseConfig> {
    let url = reader.optional("database_url", settings::address::postgres).map(SecretString::from);
    let queries = QueriesConfig::read(reader);
    let outbox = OutboxConfig::read(reader)?;
    Some(DatabaseConfig { url, queries, outbox })
}
