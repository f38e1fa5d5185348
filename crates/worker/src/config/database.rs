//! `DATABASE_URL`, `MESSAGES_QUERY` and `SOURCES_QUERY` go in; where conversations are, and how they are
//! found, comes out.

use secrecy::SecretString;
use settings::{QueriesConfig, Reader};

/// Where conversations are, and how they are found.
#[derive(Debug)]
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "this build has no database"))]
pub(crate) struct DatabaseConfig {
    /// Its address; may hold a password. `None` without a database.
    pub(crate) url: Option<SecretString>,
    /// How conversations are found there.
    pub(crate) queries: QueriesConfig,
}

/// Reads the section. Where a setting is at fault, the reader keeps that, and nothing of this is
/// used.
pub(super) fn read(reader: &mut Reader) -> DatabaseConfig {
    let url = reader.optional("database_url", settings::address::postgres).map(SecretString::from);
    DatabaseConfig { url, queries: QueriesConfig::read(reader) }
}
