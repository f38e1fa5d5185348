//! A text becomes the address that is told of a job's end; what was sent there becomes a record.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::InvalidField;

/// Longest address, in bytes, all of which are ASCII.
const MAX_LENGTH: usize = 2048;

/// Where the end of a job is told: an `https://` address, or an `http://` one of an operator's own
/// receivers. Its path and query may hold a secret, so that `{:?}` shows the host alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// What a field takes that holds one.
    pub const GRAMMAR: &str = "an address such as `https://example.org/hook`: `https` or `http`, at \
        most 2048 printable ASCII characters, without user, password and fragment";

    /// Checks an address as `lua/enqueue.lua` does, letter by letter. Whether a worker may call it,
    /// only the worker knows.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let fault = || InvalidField::value("webhook", Self::GRAMMAR, "another text");
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}#".contains(&byte);
        let (_, host) = parts(text).ok_or_else(fault)?;
        let is_address = text.len() <= MAX_LENGTH
            && text.bytes().all(is_plain)
            && host.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'[')
            && !host.contains('@');
        if is_address { Ok(Self(text.to_owned())) } else { Err(fault()) }
    }

    /// The whole address: a secret, if it has a query.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Scheme and authority.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    ["https", "http"].contains(&scheme).then_some((scheme, authority))
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match parts(&self.0) {
            Some((scheme, host)) if !host.contains('@') => write!(f, "{scheme}://{host}/…"),
            _ => f.write_str("…"),
        }
    }
}

/// Where the telling of a job's end stands.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookState {
    /// The job has not ended yet.
    Waiting,
    /// Owed: the next attempt comes at its time.
    Due,
    /// Owed, and no worker that looked has a secret of the tenant: `WEBHOOK_SECRETS`.
    NoSecret,
    /// The receiver took it.
    Delivered,
    /// The last attempt has failed; only a person sends it again.
    Exhausted,
    /// The receiver has answered 410 to this event or an earlier one; only a person sends it again.
    Off,
}

impl WebhookState {
    /// Every state, in the order of a delivery's life.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Due, Self::NoSecret, Self::Delivered, Self::Exhausted, Self::Off];

    /// The word in Redis and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Due => "due",
            Self::NoSecret => "no-secret",
            Self::Delivered => "delivered",
            Self::Exhausted => "exhausted",
            Self::Off => "off",
        }
    }

    /// The state that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl fmt::Display for WebhookState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The webhook of a job, as anyone may know it: never its address.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookRecord {
    /// Where it stands.
    pub state: WebhookState,
    /// When the next attempt is due; only where one job is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<DateTime<Utc>>,
    /// The latest attempts, oldest first; only where one job is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<WebhookAttempt>,
}

impl WebhookRecord {
    /// What the job's hash alone says.
    pub(crate) fn of(state: WebhookState) -> Self {
        Self { state, next_at: None, attempts: Vec::new() }
    }
}

/// One attempt to tell of a job's end.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookAttempt {
    /// The `webhook-id` that the receiver saw: the same for all attempts of one event.
    pub id: String,
    /// When it was sent.
    pub at: DateTime<Utc>,
    /// The status of the answer; null without one.
    pub status: Option<u16>,
    /// Why it failed, as one stable word such as `timed-out`; null when it did not.
    pub error: Option<String>,
    /// From the first byte sent to the answer's head, or to the failure, in ms.
    pub latency_ms: u64,
    /// The first 1 KiB of the answer; of the latest three attempts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_or_refused_without_repeating_it() {
        for good in [
            "https://example.org",
            "https://example.org/hook?token=s3cret&a=%20b",
            "http://127.0.0.1:8080/",
            "https://[2001:db8::1]:8443/a/b;c=1",
            &format!("https://e.org/{}", "a".repeat(2048 - 14)),
        ] {
            assert_eq!(WebhookUrl::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "example.org",
            "https://",
            "https:///secret",
            "HTTPS://example.org/",
            "ftp://example.org/",
            "https://user:secret@example.org/",
            "https://user@example.org",
            "https://example.org@evil.test/",
            "https://example.org/#secret",
            "https://example.org\\@evil.test/",
            "https://example.org/a b",
            "https://example.org/\n",
            "https://ex\u{e4}mple.org/",
            "https://.example.org/",
            &format!("https://e.org/{}", "a".repeat(2048 - 13)),
        ] {
            let error = WebhookUrl::parse(bad).unwrap_err();
            assert_eq!(error.field, "webhook", "{bad}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{bad}");
        }
    }

    #[test]
    fn a_query_never_reaches_a_log() {
        let url = WebhookUrl::parse("https://example.org:8443/hook/s3cret?token=s3cret").unwrap();
        assert_eq!(format!("{url:?}"), "https://example.org:8443/…");
    }

    #[test]
    fn every_state_has_its_word() {
        for state in WebhookState::ALL {
            assert_eq!(WebhookState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
