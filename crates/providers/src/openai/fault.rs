//! What went wrong on the wire goes in; a failure of the right class comes out, once for all
//! capabilities.
//!
//! A server's own sentence is never repeated: it may quote the prompt, or a part of the key. Its
//! one-word code and its request number may be.

use pipeline::{FailureClass, ProviderError, Usage};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::PROVIDER;
use super::client::{Account, Capability};
use super::retry_after::retry_after;

/// Longest error body that is looked at.
const MAX_ERROR: usize = 16 << 10;
/// Longest word or number that is repeated.
const MAX_WORD: usize = 64;
const UNREADABLE: &str = "answer-unreadable";

/// The failure that a status other than a success means.
pub(super) async fn refused(account: &Account, mut response: Response) -> ProviderError {
    let status = response.status();
    let asked = retry_after(response.headers());
    let number = response.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    let number = number.filter(|text| is_plain(text, |c| c.is_ascii_alphanumeric()));
    let said = match number {
        Some(number) => format!("status {}, request {number}", status.as_u16()),
        None => format!("status {}", status.as_u16()),
    };
    let code = code_in(&beginning(&mut response).await);
    let error = judge(account.capability, status, code.as_deref(), &said);
    match error.failure {
        FailureClass::Transient { .. } => {
            ProviderError { failure: FailureClass::Transient { retry_after: asked }, ..error }
        }
        _ => error,
    }
}

/// The class table, by status and by the server's word.
fn judge(
    capability: Capability,
    status: StatusCode,
    word: Option<&str>,
    said: &str,
) -> ProviderError {
    let said = match word {
        Some(word) => format!("{said}, {word}"),
        None => said.to_owned(),
    };
    let setup = |code, what: String| {
        ProviderError::misconfigured(PROVIDER, code, format!("{what} ({said})"))
    };
    let input =
        |code, what: &str| ProviderError::permanent(PROVIDER, code, format!("{what} ({said})"));
    let passing =
        |code, what: &str| ProviderError::transient(PROVIDER, code, format!("{what} ({said})"));
    match (status.as_u16(), word.unwrap_or_default()) {
        (_, "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active")
        | (402, _) => {
            setup("quota-exhausted", "no money is left on the account; top it up".to_owned())
        }
        (401, _) | (_, "invalid_api_key") => setup(
            "key-refused",
            format!(
                "the key is refused; set {capability}_API_KEY or OPENAI_API_KEY to a valid one"
            ),
        ),
        (_, "model_not_found" | "model_not_available") => setup(
            "model-unknown",
            format!("the server does not have this model; correct {capability}_MODEL"),
        ),
        (404 | 405, _) => setup(
            "address-unknown",
            format!(
                "the server knows no such address or model; correct {capability}_BASE_URL or {capability}_MODEL"
            ),
        ),
        (403, _) => setup(
            "access-denied",
            format!(
                "the account may not use this model or server; look at {capability}_MODEL and its rights"
            ),
        ),
        (300..=399, _) => setup(
            "redirected",
            format!("the server points elsewhere; correct {capability}_BASE_URL"),
        ),
        (400 | 422, "content_filter" | "content_policy_violation" | "moderation_blocked") => {
            input("content-refused", "the provider refuses this content; change the source's text")
        }
        (429, _) => passing("rate-limited", "too many calls at this time"),
        (408 | 409 | 425, _) => passing("provider-busy", "the provider asks for another try"),
        (500.., _) => passing("provider-failed", "the provider has a fault of its own"),
        _ => input("request-refused", "the provider refuses the request as invalid"),
    }
}

/// A connection that failed, broke or fell silent. The address stays out: it may hold a password.
pub(super) fn lost(error: &reqwest::Error) -> ProviderError {
    let (code, message) = if error.is_timeout() {
        ("provider-silent", "the provider did not answer in time")
    } else if error.is_connect() {
        ("connection-failed", "the provider cannot be reached; is its address right, and up?")
    } else {
        ("connection-broken", "the connection to the provider broke in the middle")
    };
    ProviderError::transient(PROVIDER, code, message)
}

/// A success whose body is none: an accident once, the wrong server twice.
pub(super) fn unreadable(account: &Account, what: &str) -> ProviderError {
    let message = format!("the answer {what}; is {}_BASE_URL right?", account.capability);
    ProviderError::transient(PROVIDER, UNREADABLE, message).again(FailureClass::Misconfigured)
}

/// Books what a call has cost whose answer was lost or spoilt. What is not of this API at all, such
/// as a gateway's page, nobody has sent a bill for.
pub(super) fn booked(error: ProviderError, cost: &Usage) -> ProviderError {
    if error.code == UNREADABLE { error } else { error.wasting(cost.clone()) }
}

/// The first bytes of an error's body; what cannot be read does not matter.
async fn beginning(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR {
            break;
        }
    }
    body
}

/// `error.code`, or else `error.type`, where it is a plain word.
pub(super) fn code_in(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    let word = |name: &str| error.get(name)?.as_str().map(str::to_owned);
    word("code").or_else(|| word("type")).filter(|word| is_plain(word, |c| c.is_ascii_lowercase()))
}

/// Short, and of such letters that it can be neither a text nor a key.
fn is_plain(text: &str, is_letter: impl Fn(char) -> bool) -> bool {
    (1..=MAX_WORD).contains(&text.len()) && text.chars().all(|c| is_letter(c) || "_-".contains(c))
}
