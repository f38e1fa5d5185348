//! What the queue hands out goes in; an address and a body to be signed come out.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use redis::Value;
use serde_json::json;
use stillcast_enqueue::{Artifact, ExtraFile, Identifier, JobId, JobRecord, WebhookUrl};

/// Largest body that is sent, in bytes; beyond it the caller's own strings stay out.
const MAX_BODY: usize = 20_000;
/// The values of `WEBHOOK_FACTS` in the preamble of the scripts, in its order.
const FACTS: [&str; 9] = [
    "webhook",
    "tenant",
    "state",
    "format",
    "finished_ms",
    "metadata",
    "artifact",
    "error",
    "cost",
];
/// Of a row, what stands in front of the facts: id, token, number of the attempt, event.
const HEAD: usize = 4;

/// One event for one receiver, the caller's for a while. Its address and its token are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The job that has ended.
    pub job: JobId,
    /// Whose it was.
    pub tenant: Identifier,
    /// The `webhook-id`: the same for all attempts.
    pub event: String,
    /// Which attempt this is, from 1.
    pub attempt: usize,
    /// Where it goes.
    pub url: WebhookUrl,
    /// What is sent: JSON, at most 20 KB, without private text.
    pub body: String,
    pub(super) token: String,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job, event, attempt, .. } = self;
        write!(f, "Delivery({event} of {job}, attempt {attempt})")
    }
}

/// Deliveries that are due, and until when the next one is not.
#[derive(Debug, Default)]
pub(crate) struct Due {
    /// Now the caller's.
    pub(crate) deliveries: Vec<Delivery>,
    /// Until the next one is due; none when nothing is owed.
    pub(crate) next: Option<Duration>,
}

impl Delivery {
    /// One row of the answer of `notify`. A delivery that cannot be read is none: its time comes again,
    /// until its attempts are used up.
    pub(crate) fn read(row: Vec<Value>) -> Option<Self> {
        let words: Vec<String> = row.into_iter().map(text).collect();
        let (head, facts) = words.split_at_checked(HEAD)?;
        let facts: HashMap<String, String> = FACTS
            .into_iter()
            .zip(facts)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect();
        let record = JobRecord::from_hash(&head[0], &facts)?;
        Some(Self {
            job: JobId::parse(&head[0]).ok()?,
            tenant: Identifier::parse("tenant", &record.tenant).ok()?,
            event: head[3].clone(),
            attempt: head[2].parse().ok()?,
            url: WebhookUrl::parse(facts.get("webhook")?).ok()?,
            body: body(&record),
            token: head[1].clone(),
        })
    }
}

/// Bytes that are no UTF-8 must not end the look at all others.
fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}

/// `{"type": "job.done", "timestamp": …, "data": {…}}`: what the record says, and nothing private.
fn body(record: &JobRecord) -> String {
    let whole = event(record, true).to_string();
    if whole.len() <= MAX_BODY { whole } else { event(record, false).to_string() }
}

fn event(record: &JobRecord, with_metadata: bool) -> serde_json::Value {
    let ended = record.finished_at.unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
    let mut data = json!({
        "id": record.id,
        "state": record.state,
        "format": record.format,
        "tenant": record.tenant,
        "metadata": if with_metadata { json!(record.metadata) } else { json!({}) },
        "cost": record.cost,
    });
    if let Some(artifact) = &record.artifact {
        data["artifact"] = file(artifact);
    }
    if !record.extras.is_empty() {
        let beside = record.extras.iter().map(|(name, extra)| (name.clone(), beside(extra)));
        data["extras"] = beside.collect::<serde_json::Map<_, _>>().into();
    }
    if let Some(error) = &record.error {
        data["error"] = json!(error);
    }
    json!({
        "type": format!("job.{}", record.state),
        "timestamp": ended.to_rfc3339_opts(SecondsFormat::Millis, true),
        "data": data,
    })
}

/// Where to fetch it and what it is: of this host's folders and of the store's keys a receiver knows
/// nothing.
fn file(artifact: &Artifact) -> serde_json::Value {
    // A record has taken them as its own.
    let Artifact { url, key: _, path: _, bytes, content_type, duration_s, sha256, extras: _ } =
        artifact;
    json!({
        "url": url, "bytes": bytes, "content_type": content_type, "duration_s": duration_s,
        "sha256": sha256,
    })
}

/// The same of a file beside it.
fn beside(extra: &ExtraFile) -> serde_json::Value {
    let ExtraFile { url, key: _, path: _, bytes, content_type, sha256 } = extra;
    json!({ "url": url, "bytes": bytes, "content_type": content_type, "sha256": sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(metadata: &str) -> Vec<Value> {
        let artifact = r#"{"url":"file:///x.m4a","key":"media/x","path":"/srv/x","bytes":9,
            "content_type":"audio/mp4","duration_s":1.5,"sha256":"ab"}"#;
        let facts = ["https://e.org/?t=1", "acme", "done", "audio", "1700000000000", metadata];
        let words = ["j1", "1:n", "1", "evt_1"].into_iter().chain(facts);
        words.chain([artifact, "", ""]).map(|w| Value::BulkString(w.into())).collect()
    }

    #[test]
    fn a_row_becomes_a_thin_event() {
        let delivery = Delivery::read(row(r#"{"a":"b"}"#)).unwrap();
        let body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "job.done", "timestamp": "2023-11-14T22:13:20.000Z",
                "data": {
                    "id": "j1", "state": "done", "format": "audio", "tenant": "acme",
                    "metadata": { "a": "b" },
                    "artifact": { "url": "file:///x.m4a", "bytes": 9, "content_type": "audio/mp4",
                        "duration_s": 1.5, "sha256": "ab" },
                    "cost": { "spent_usd": 0.0, "avoided_usd": 0.0, "wasted_usd": 0.0 },
                },
            })
        );
        assert!(!format!("{delivery:?}").contains("t=1"));
    }

    #[test]
    fn a_body_never_outgrows_what_receivers_take() {
        let large = Delivery::read(row(&json!({ "a": "b".repeat(30_000) }).to_string())).unwrap();
        assert!(large.body.len() < 1_000, "{} bytes", large.body.len());
    }

    #[test]
    fn a_row_that_cannot_be_read_is_no_delivery() {
        let whole = row("{}");
        for cut in 0..7 {
            assert_eq!(Delivery::read(whole[..cut].to_vec()), None, "{cut}");
        }
        let mut odd = row("{}");
        odd[4] = Value::BulkString(b"gopher://e.org".to_vec());
        assert_eq!(Delivery::read(odd), None);
    }
}
