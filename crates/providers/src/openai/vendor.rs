//! OpenAI's own: how a key is shown, and its words for what is wrong.

use serde_json::Value;

use super::PROVIDER;
use crate::http::{Meaning, Vendor};

pub(super) const OPENAI: Vendor = Vendor {
    provider: PROVIDER,
    key_setting: "OPENAI_API_KEY",
    request_number: "x-request-id",
    authorize: |request, key| request.bearer_auth(key),
    word,
    meaning,
};

/// `error.code`, or else `error.type`.
fn word(body: &Value) -> Option<&str> {
    let error = body.get("error")?;
    let word = |name: &str| error.get(name)?.as_str();
    word("code").or_else(|| word("type"))
}

/// <https://platform.openai.com/docs/guides/error-codes>, and what servers of the same shapes say.
fn meaning(status: u16, word: &str) -> Option<Meaning> {
    match (status, word) {
        (_, "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active") => {
            Some(Meaning::NoMoney)
        }
        (401 | 402, _) => None,
        (_, "invalid_api_key") => Some(Meaning::KeyRefused),
        (_, "model_not_found" | "model_not_available") => Some(Meaning::ModelUnknown),
        (400 | 422, "content_filter" | "content_policy_violation" | "moderation_blocked") => {
            Some(Meaning::ContentRefused)
        }
        _ => None,
    }
}
