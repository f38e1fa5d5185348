//! Servers go in that would watch for alerts; one of them, and what was told already, comes out.

use std::collections::HashMap;
use std::time::Duration;

use redis::AsyncCommands;

use super::inspector::Inspector;
use crate::QueueError;

impl Inspector {
    /// What was told last of each alert, by its name, if `server` is the one that watches: whoever asks
    /// first is, until it has not asked for `lease`.
    pub async fn watch_alerts(
        &self,
        server: &str,
        lease: Duration,
    ) -> Result<Option<HashMap<String, String>>, QueueError> {
        let keys = self.endpoint.keys();
        let mut connection = self.connection.clone();
        let ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        let mut set = redis::cmd("SET");
        set.arg(keys.alerts_by()).arg(server).arg("NX").arg("PX").arg(ms);
        let taken: Option<String> = set.query_async(&mut connection).await?;
        if taken.is_none() {
            let by: Option<String> = connection.get(keys.alerts_by()).await?;
            if by.as_deref() != Some(server) {
                return Ok(None);
            }
            let _: bool = connection.pexpire(keys.alerts_by(), ms).await?;
        }
        Ok(Some(connection.hgetall(keys.alerts()).await?))
    }

    /// From now on `words` were told last of this alert.
    pub async fn alert_told(&self, alert: &str, words: &str) -> Result<(), QueueError> {
        let key = self.endpoint.keys().alerts();
        let _: i64 = self.connection.clone().hset(key, alert, words).await?;
        Ok(())
    }
}
