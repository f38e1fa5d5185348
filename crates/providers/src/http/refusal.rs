//! An answer with a status other than a success goes in, or an error that came with a status of
//! success; a failure of the right class comes out.
//!
//! A server's own sentence is never repeated: it may quote the prompt, or a part of the key. Its
//! one-word code and its request number may be, and what its words name out of a list of ours.

use pipeline::{FailureClass, ProviderError};
use reqwest::Response;
use serde_json::Value;

use super::complaint::Complaint;
use super::judge::Refusal;
use super::meaning::Meaning;
use super::origin::Origin;
use super::vendor::Vendor;
use crate::retry_after::retry_after;

/// Longest error body that is looked at.
const MAX_ERROR: usize = 16 << 10;
/// Longest word or number that is repeated.
const MAX_WORD: usize = 64;
/// The status of an account without money, which some servers put into the body alone.
const PAYMENT_REQUIRED: u16 = 402;

/// A request that was refused.
#[derive(Clone, Copy)]
pub(super) struct Refused<'request> {
    pub(super) origin: Origin,
    /// What was sent; null when it had no body.
    pub(super) sent: &'request Value,
    /// Whether the server took the request before this one.
    pub(super) took_last: bool,
}

impl Refused<'_> {
    /// The failure that a status other than a success means.
    pub(super) async fn by_status(self, mut response: Response) -> ProviderError {
        let (status, asked) = (response.status().as_u16(), retry_after(response.headers()));
        let number = number(self.origin.vendor, &response).map(str::to_owned);
        let body = beginning(&mut response).await;
        let parsed = serde_json::from_slice(&body).unwrap_or_default();
        let complaint = Complaint::of_bytes(&body);
        let error = self.judge(status, &parsed, complaint, number);
        match error.failure {
            FailureClass::Transient { .. } => {
                ProviderError { failure: FailureClass::Transient { retry_after: asked }, ..error }
            }
            _ => error,
        }
    }

    /// The failure that the error in `body` means, which came with a status of success. Where it
    /// names no status and nothing that we know, the provider has a fault of its own.
    pub(super) fn by_body(self, body: &Value) -> ProviderError {
        let status = status_in(body).unwrap_or(0);
        self.judge(status, body, Complaint::of(body), None)
    }

    fn judge(
        self,
        status: u16,
        body: &Value,
        complaint: Complaint,
        number: Option<String>,
    ) -> ProviderError {
        let Self { origin: Origin { vendor, capability }, sent, took_last } = self;
        let words = (vendor.words)(body);
        let lower = words.iter().map(|word| word.to_lowercase()).collect();
        let sent = keys(sent);
        let refusal = Refusal { status, words: lower, complaint, sent, took_last };
        let meaning = match status_in(body) {
            Some(PAYMENT_REQUIRED) => Meaning::NoMoney,
            _ => refusal.meaning(vendor),
        };
        let status = (status > 0).then(|| format!("status {status}"));
        let number = number.map(|number| format!("request {number}"));
        let word = words.first().filter(|word| is_plain(word, |c| c.is_ascii_lowercase()));
        let told: Vec<_> =
            status.into_iter().chain(number).chain(word.map(|&word| word.to_owned())).collect();
        let sentence = meaning.sentence(capability, vendor.key_setting);
        let message = match told.as_slice() {
            [] => sentence,
            told => format!("{sentence} ({})", told.join(", ")),
        };
        let (class, code) = meaning.class();
        let parameter = meaning.parameter();
        ProviderError { parameter, ..ProviderError::new(vendor.provider, class, code, message) }
    }
}

/// The names of all that a request holds, down to the options of an option.
fn keys(sent: &Value) -> Vec<&str> {
    sent.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// A status that stands in the body of an error: a number, or the same as a word.
fn status_in(body: &Value) -> Option<u16> {
    let body = body.get(0).unwrap_or(body);
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    ["code", "status", "status_code", "statusCode"].into_iter().find_map(|name| {
        let value = error.get(name)?;
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
        u16::try_from(number).ok().filter(|status| (400..600).contains(status))
    })
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

fn number<'answer>(vendor: &Vendor, response: &'answer Response) -> Option<&'answer str> {
    let number = response.headers().get(vendor.request_number)?.to_str().ok()?;
    is_plain(number, |c| c.is_ascii_alphanumeric()).then_some(number)
}

/// Short, and of such letters that it can be neither a text nor a key.
fn is_plain(text: &str, is_letter: impl Fn(char) -> bool) -> bool {
    (1..=MAX_WORD).contains(&text.len()) && text.chars().all(|c| is_letter(c) || "_-".contains(c))
}
