//! An event of the server goes in; what it means for one response comes out. Servers of the trial name some events
//! otherwise.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::{RateLimit, RateLimits};

/// Longer waits are no waits.
const MAX_SECONDS: f64 = 24.0 * 3_600.0;

/// What an event means.
#[derive(Debug, PartialEq)]
pub(super) enum Event<'event> {
    /// From here on the server charges for what it says.
    Begun,
    /// The next samples.
    Sound(Vec<u8>),
    /// The words of the sound.
    Words(&'event str),
    /// All was said.
    Done,
    /// The rest stays unsaid.
    Cut,
    /// The server refuses or has failed; its error in an envelope.
    Failed(Value),
    /// The session has lasted as long as it may.
    Expired,
    /// How many calls are left.
    Limits,
    /// Nothing that matters here.
    Other,
}

impl<'event> Event<'event> {
    pub(super) fn of(event: &'event Value) -> Self {
        match event["type"].as_str().unwrap_or_default() {
            "response.created" => Self::Begun,
            "response.output_audio.delta" | "response.audio.delta" => sound(&event["delta"]),
            "response.output_audio_transcript.done" | "response.audio_transcript.done" => {
                Self::Words(event["transcript"].as_str().unwrap_or_default())
            }
            "response.done" => done(&event["response"]),
            "rate_limits.updated" => Self::Limits,
            "error" => failed(&event["error"]),
            _ => Self::Other,
        }
    }
}

fn sound(delta: &Value) -> Event<'static> {
    let decoded = delta.as_str().and_then(|text| STANDARD.decode(text).ok());
    decoded.map_or(Event::Cut, Event::Sound)
}

fn done(response: &Value) -> Event<'static> {
    let (status, details) = (response["status"].as_str(), &response["status_details"]);
    match status {
        Some("completed") => Event::Done,
        Some("failed") => failed(&details["error"]),
        Some("incomplete") if details["reason"] == "content_filter" => {
            failed(&json!({ "code": "content_filter" }))
        }
        _ => Event::Cut,
    }
}

fn failed(error: &Value) -> Event<'static> {
    if error["code"] == "session_expired" {
        return Event::Expired;
    }
    Event::Failed(json!({ "error": error }))
}

/// What the server tells of the account's limits.
pub(super) fn limits(event: &Value) -> RateLimits {
    let of = |name: &str| {
        let all = event["rate_limits"].as_array();
        let told = all.and_then(|all| all.iter().find(|one| one["name"] == name));
        told.map(limit).unwrap_or_default()
    };
    RateLimits { asked: None, requests: of("requests"), tokens: of("tokens") }
}

fn limit(told: &Value) -> RateLimit {
    let reset = told["reset_seconds"].as_f64().filter(|reset| (0.0..=MAX_SECONDS).contains(reset));
    RateLimit {
        limit: told["limit"].as_u64(),
        remaining: told["remaining"].as_u64(),
        reset: reset.map(Duration::from_secs_f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_sound_and_words_are_understood() {
        for name in ["response.output_audio.delta", "response.audio.delta"] {
            let event = json!({ "type": name, "delta": "AQID" });
            assert_eq!(Event::of(&event), Event::Sound(vec![1, 2, 3]));
        }
        let event = json!({ "type": "response.audio_transcript.done", "transcript": "Rest." });
        assert_eq!(Event::of(&event), Event::Words("Rest."));
    }

    #[test]
    fn a_response_ends_whole_cut_refused_or_with_its_session() {
        let done = |response: Value| {
            let event = json!({ "type": "response.done", "response": response });
            format!("{:?}", Event::of(&event))
        };
        assert_eq!(done(json!({ "status": "completed" })), "Done");
        assert_eq!(done(json!({ "status": "cancelled" })), "Cut");
        let filtered =
            json!({ "status": "incomplete", "status_details": { "reason": "content_filter" } });
        assert!(done(filtered).contains("content_filter"));
        let failed = json!({ "status": "failed", "status_details": { "error": { "code": "rate_limit_exceeded" } } });
        assert!(done(failed).contains("rate_limit_exceeded"));
        let expired = json!({ "type": "error", "error": { "code": "session_expired" } });
        assert_eq!(Event::of(&expired), Event::Expired);
        assert_eq!(Event::of(&json!([1])), Event::Other);
    }

    #[test]
    fn what_is_left_is_told() {
        let event = json!({ "rate_limits": [
            { "name": "requests", "limit": 100, "remaining": 7, "reset_seconds": 1.5 },
            { "name": "tokens", "limit": 9, "remaining": 3, "reset_seconds": 1e9 },
        ]});
        let RateLimits { requests, tokens, .. } = limits(&event);
        assert_eq!(
            (requests.remaining, requests.reset),
            (Some(7), Some(Duration::from_millis(1500)))
        );
        assert_eq!((tokens.limit, tokens.reset), (Some(9), None));
    }
}
