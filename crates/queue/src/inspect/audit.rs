//! A place in the audit goes in; what people did before that comes out, the newest first.

use redis::AsyncCommands;

use super::inspector::Inspector;
use crate::QueueError;
use crate::audit::AuditEntry;

/// Some lines of the audit, and where the next ones begin.
#[derive(Clone, Debug, Default)]
pub struct AuditPage {
    /// From the newest.
    pub entries: Vec<AuditEntry>,
    /// The number before which the next page begins; `None` after the last.
    pub next: Option<u64>,
}

impl Inspector {
    /// At most `limit` changes by people, the newest first; `before` a number, those before it. The
    /// queue keeps the latest 10,000.
    pub async fn audit(&self, limit: usize, before: Option<u64>) -> Result<AuditPage, QueueError> {
        let key = self.endpoint.keys().named("audit");
        let from = before.map_or_else(|| "+inf".to_owned(), |number| format!("({number}"));
        let count = limit.min(super::MAX_PAGE).cast_signed();
        let found: Vec<(Vec<u8>, u64)> = {
            let mut connection = self.connection.clone();
            connection.zrevrangebyscore_limit_withscores(key, from, "-inf", 0, count).await?
        };
        let is_last = found.len() < count.cast_unsigned();
        let next = found.last().filter(|_| !is_last).map(|(_, number)| *number);
        let entries = found.iter().filter_map(|(line, _)| AuditEntry::read(line)).collect();
        Ok(AuditPage { entries, next })
    }
}
