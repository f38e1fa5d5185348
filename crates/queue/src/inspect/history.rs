//! A span goes in; what the queue did in it comes out, as far as workers have told.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::inspector::Inspector;
use crate::QueueError;
use crate::history::{Counts, History, Ring, assemble};

/// The time in seconds and millionths, the numbers of names, and slots.
type Read = ((i64, u32), HashMap<String, u64>, Vec<Vec<u8>>);

impl Inspector {
    /// What the queue did in the last `span`, at most 30 days: in slots of a minute up to 6 hours, of a
    /// quarter of an hour up to 3 days, and of two hours beyond.
    pub async fn history(&self, span: Duration) -> Result<History, QueueError> {
        Ok(self.counted(span).await?.0)
    }

    pub(super) async fn counted(&self, span: Duration) -> Result<(History, Counts), QueueError> {
        let ring = Ring::reaching(span.as_secs());
        let key = |word| self.endpoint.keys().named(word);
        let mut asked = redis::pipe();
        asked.cmd("TIME").hgetall(key("history_names")).hvals(key(ring.key));
        let (time, names, slots): Read = asked.query_async(&mut self.connection.clone()).await?;
        let now = DateTime::<Utc>::from_timestamp(time.0, time.1 * 1000).unwrap_or_default();
        let since = time.0.saturating_sub_unsigned(span.as_secs()).max(0).cast_unsigned();
        Ok(assemble(&ring, (now, since), &names, slots))
    }
}
