//! A status and a vendor's own word go in; what they mean comes out: its class, and what to do.

use pipeline::FailureClass;
use reqwest::RequestBuilder;
use serde_json::Value;

use super::account::Capability;

/// What one vendor says in its own way, so that all else can be said once for all of them.
#[derive(Debug)]
pub(crate) struct Vendor {
    /// Its name in records.
    pub(crate) provider: &'static str,
    /// The setting of a key for all capabilities at once, such as `OPENAI_API_KEY`.
    pub(crate) key_setting: &'static str,
    /// The header that holds the number of the request, for the vendor's support.
    pub(crate) request_number: &'static str,
    /// Puts a key on a request.
    pub(crate) authorize: fn(RequestBuilder, &str) -> RequestBuilder,
    /// Finds the one-word code in the body of a refusal.
    pub(crate) word: fn(&Value) -> Option<&str>,
    /// What that word means; `None` where the status alone says it.
    pub(crate) meaning: fn(status: u16, word: &str) -> Option<Meaning>,
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The account has no credit left (402).
    NoMoney,
    /// The key is not valid (401).
    KeyRefused,
    /// The server does not have the model.
    ModelUnknown,
    /// The server has no such path (404, 405).
    AddressUnknown,
    /// The account may not use the model or the server (403).
    AccessDenied,
    /// The server points to another address (3xx).
    Redirected,
    /// The provider refuses to work on this text.
    ContentRefused,
    /// Too many calls in a time (429).
    RateLimited,
    /// The server asks for another try (408, 409, 425).
    Busy,
    /// The server has a fault of its own (5xx).
    Failed,
    /// The request is not one of this API (any other status).
    Invalid,
}

impl Meaning {
    /// What a status means that no vendor has another word for.
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::KeyRefused,
            402 => Self::NoMoney,
            403 => Self::AccessDenied,
            404 | 405 => Self::AddressUnknown,
            300..=399 => Self::Redirected,
            429 => Self::RateLimited,
            408 | 409 | 425 => Self::Busy,
            500.. => Self::Failed,
            _ => Self::Invalid,
        }
    }

    /// Its class and its stable word for programs.
    pub(super) fn class(self) -> (FailureClass, &'static str) {
        let passing = FailureClass::Transient { retry_after: None };
        match self {
            Self::NoMoney => (FailureClass::Misconfigured, "quota-exhausted"),
            Self::KeyRefused => (FailureClass::Misconfigured, "key-refused"),
            Self::ModelUnknown => (FailureClass::Misconfigured, "model-unknown"),
            Self::AddressUnknown => (FailureClass::Misconfigured, "address-unknown"),
            Self::AccessDenied => (FailureClass::Misconfigured, "access-denied"),
            Self::Redirected => (FailureClass::Misconfigured, "redirected"),
            Self::ContentRefused => (FailureClass::Permanent, "content-refused"),
            Self::Invalid => (FailureClass::Permanent, "request-refused"),
            Self::RateLimited => (passing, "rate-limited"),
            Self::Busy => (passing, "provider-busy"),
            Self::Failed => (passing, "provider-failed"),
        }
    }

    /// What happened and what to do, with the settings of what was bought.
    pub(super) fn sentence(self, capability: Capability, key_setting: &str) -> String {
        match self {
            Self::NoMoney => "no money is left on the account; top it up".to_owned(),
            Self::KeyRefused => {
                format!(
                    "the key is refused; set {capability}_API_KEY or {key_setting} to a valid one"
                )
            }
            Self::ModelUnknown => {
                format!("the server does not have this model; correct {capability}_MODEL")
            }
            Self::AddressUnknown => format!(
                "the server knows no such address or model; correct {capability}_BASE_URL or {capability}_MODEL"
            ),
            Self::AccessDenied => format!(
                "the account may not use this model or server; look at {capability}_MODEL and its rights"
            ),
            Self::Redirected => {
                format!("the server points elsewhere; correct {capability}_BASE_URL")
            }
            Self::ContentRefused => {
                "the provider refuses this content; change the source's text".to_owned()
            }
            Self::RateLimited => "too many calls at this time".to_owned(),
            Self::Busy => "the provider asks for another try".to_owned(),
            Self::Failed => "the provider has a fault of its own".to_owned(),
            Self::Invalid => "the provider refuses the request as invalid".to_owned(),
        }
    }
}
