//! OpenAI's own: how a key is shown, and its words for what is wrong.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::PROVIDER;
use crate::http::{Meaning, Parameter, Vendor};

pub(super) const OPENAI: Vendor = Vendor {
    provider: PROVIDER,
    key_setting: "OPENAI_API_KEY",
    request_number: "x-request-id",
    authorize: |request, key| request.bearer_auth(key),
    words,
    meaning,
    parameters: &[
        Parameter::set_by("max_completion_tokens", "MAX_TOKENS"),
        Parameter::set_by("max_tokens", "MAX_TOKENS"),
        Parameter::fixed("stream_options"),
        Parameter::fixed("reasoning_effort"),
        Parameter::fixed("response_format"),
        Parameter::fixed("output_compression"),
        Parameter::fixed("output_format"),
        Parameter::fixed("instructions"),
        Parameter::set_by("voice", "VOICE"),
        Parameter::set_by("size", "SIZE"),
        Parameter::fixed("quality"),
        Parameter::fixed("speed"),
        Parameter::fixed("stream"),
        Parameter::fixed("n"),
        Parameter::set_by("model", "MODEL"),
        Parameter::text("messages"),
        Parameter::text("input"),
        Parameter::text("prompt"),
    ],
};

/// `error.code`, `error.type` and `error.status`; of servers that do without an envelope, or put
/// the error into a list, the same of what they have.
fn words(body: &Value) -> Vec<&str> {
    let body = body.get(0).unwrap_or(body);
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    let word = |name: &&str| error.get(name)?.as_str().filter(|word| !word.is_empty());
    ["code", "type", "status"].iter().filter_map(word).collect()
}

/// <https://platform.openai.com/docs/guides/error-codes>, and what servers of the same shapes say.
fn meaning(status: u16, word: &str) -> Option<Meaning> {
    match (status, word) {
        (
            _,
            "insufficient_quota"
            | "billing_hard_limit_reached"
            | "billing_not_active"
            | "billing_error"
            | "insufficient_user_quota"
            | "insufficient_balance"
            | "insufficient_credits"
            | "insufficient_funds"
            | "exceeded_current_quota_error"
            | "payment_required"
            | "arrearage",
        ) => Some(Meaning::NoMoney),
        (401 | 402, _) => None,
        (_, "invalid_api_key" | "unauthenticated" | "authentication_error") => {
            Some(Meaning::KeyRefused)
        }
        (
            _,
            "model_not_found"
            | "model_not_available"
            | "unknown_model"
            | "invalid_model"
            | "deploymentnotfound",
        ) => Some(Meaning::ModelUnknown),
        (
            0 | 400 | 403 | 422,
            "content_filter"
            | "content_policy_violation"
            | "moderation_blocked"
            | "data_inspection_failed",
        ) => Some(Meaning::ContentRefused),
        (
            0 | 400 | 422,
            "context_length_exceeded"
            | "string_above_max_length"
            | "string_too_long"
            | "request_too_large",
        ) => Some(Meaning::TooLong),
        (0, "rate_limit_exceeded" | "rate_limit_error") => Some(Meaning::RateLimited),
        _ => None,
    }
}
