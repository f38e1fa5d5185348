//! A job goes in; how the telling of its end went comes out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use stillcast_enqueue::{RawHash, WebhookAttempt, WebhookRecord, WebhookState};

use super::inspector::Inspector;
use crate::QueueError;

impl Inspector {
    /// Where the webhook of `id` stands, with the latest attempts; `None` when nothing was ever owed.
    pub async fn webhook(&self, id: &str) -> Result<Option<WebhookRecord>, QueueError> {
        let keys = self.endpoint.keys();
        let mut asked = redis::pipe();
        asked.hgetall(keys.webhook(id)).zscore(keys.named("webhooks"), id);
        let (hash, due): (RawHash, Option<f64>) =
            asked.query_async(&mut self.connection.clone()).await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let hash = hash.into_iter().map(|(name, value)| (text(name), text(value))).collect();
        Ok(record(&hash, due))
    }
}

fn record(hash: &HashMap<String, String>, due: Option<f64>) -> Option<WebhookRecord> {
    let state = WebhookState::parse(hash.get("delivery")?)?;
    let mut numbers: Vec<u64> =
        hash.keys().filter_map(|name| name.strip_prefix("attempt")?.parse().ok()).collect();
    numbers.sort_unstable();
    let attempt = |number: u64| {
        let attempt: WebhookAttempt =
            serde_json::from_str(hash.get(&format!("attempt{number}"))?).ok()?;
        Some(WebhookAttempt { answer: hash.get(&format!("answer{number}")).cloned(), ..attempt })
    };
    let attempts = numbers.into_iter().filter_map(attempt).collect();
    Some(WebhookRecord { state, next_at: due.and_then(moment), attempts })
}

#[expect(clippy::cast_possible_truncation, reason = "every score is a whole number of ms")]
fn moment(score: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(score as i64)
}
