//! `DATABASE_URL`, `MESSAGES_QUERY` and `SOURCES_QUERY` go in; where conversations are, and how they are
//! found, comes out.

use secrecy::SecretString;
use settings::Reader;

/// Where conversations are, and how they are found.
#[derive(Debug)]
#[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "this build has no database"))]
pub(crate) struct DatabaseConfig {
    /// Its address; may hold a password. `None` without a database.
    pub(crate) url: Option<SecretString>,
    /// The query for what was said; `None` for that of the sample schema.
    pub(crate) messages: Option<String>,
    /// The query for what the conversation refers to.
    pub(crate) sources: Option<String>,
}

/// Reads the section. Where a setting is at fault, the reader keeps that, and nothing of this is
/// used.
pub(super) fn read(reader: &mut Reader) -> DatabaseConfig {
    let url = reader.optional("database_url", database_url).map(SecretString::from);
    let messages = reader.optional("messages_query", query);
    let sources = reader.optional("sources_query", query);
    if sources.is_some() && !reader.is_set("messages_query") {
        let message = "is read with MESSAGES_QUERY only; set both, or none for the sample schema";
        reader.fault("SOURCES_QUERY", message);
    }
    DatabaseConfig { url, messages, sources }
}

fn database_url(text: &str) -> Result<String, String> {
    settings::address::postgres(text)
}

/// The adapter knows what a query must bind; here it is only taken.
fn query(text: &str) -> Result<String, String> {
    match text {
        _ if text.contains("$1") && text.contains("$2") => Ok(text.to_owned()),
        _ => Err("must bind $1, the tenant, and $2, the conversation".to_owned()),
    }
}
