//! `MESSAGES_QUERY` and `SOURCES_QUERY` go in; how conversations are found comes out. Every program that
//! asks for them has them, under these names.

use crate::reader::Reader;

/// How conversations are found; unset, as the sample schema has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueriesConfig {
    /// The query for what was said.
    pub messages: Option<String>,
    /// The query for what the conversation refers to.
    pub sources: Option<String>,
}

impl QueriesConfig {
    /// Reads the section. Where a setting is at fault, the reader keeps that, and nothing of this is
    /// used.
    pub fn read(reader: &mut Reader) -> Self {
        let messages = reader.optional("messages_query", query);
        let sources = reader.optional("sources_query", query);
        if sources.is_some() && !reader.is_set("messages_query") {
            let message =
                "is read with MESSAGES_QUERY only; set both, or none for the sample schema";
            reader.fault("SOURCES_QUERY", message);
        }
        Self { messages, sources }
    }
}

/// The adapter knows what a query must bind; here it is only taken.
fn query(text: &str) -> Result<String, String> {
    match text {
        _ if text.contains("$1") && text.contains("$2") => Ok(text.to_owned()),
        _ => Err("must bind $1, the tenant, and $2, the conversation".to_owned()),
    }
}
