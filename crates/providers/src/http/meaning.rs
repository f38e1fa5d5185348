//! A meaning goes in; its class, its word for programs and what to do come out.

use pipeline::FailureClass;

use super::account::Capability;
use super::parameter::Parameter;

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The account has no credit left (402).
    NoMoney,
    /// The key is not valid (401).
    KeyRefused,
    /// The server does not have the model.
    ModelUnknown,
    /// The server does not take a part of the request that all jobs send.
    ParameterRefused(&'static Parameter),
    /// The server has no such path (404, 405, 410).
    AddressUnknown,
    /// The account may not use the model or the server (403).
    AccessDenied,
    /// The server points to another address (3xx).
    Redirected,
    /// The provider refuses to work on this text.
    ContentRefused,
    /// The text is longer than the model takes (413).
    TooLong,
    /// Too many calls in a time (429).
    RateLimited,
    /// The server asks for another try (408, 409, 425).
    Busy,
    /// The server has a fault of its own (5xx).
    Failed,
    /// The request is not one of this API (any other status), and nobody says what of it.
    Invalid,
    /// The same, of a server that took the last request: this text makes the difference.
    InvalidThisTime,
}

impl Meaning {
    /// What a status means that no vendor has another word for.
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::KeyRefused,
            402 => Self::NoMoney,
            403 => Self::AccessDenied,
            404 | 405 | 410 => Self::AddressUnknown,
            413 => Self::TooLong,
            300..=399 => Self::Redirected,
            429 => Self::RateLimited,
            408 | 409 | 425 => Self::Busy,
            0 | 500.. => Self::Failed,
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
            Self::ParameterRefused(_) => (FailureClass::Misconfigured, "parameter-refused"),
            Self::AddressUnknown => (FailureClass::Misconfigured, "address-unknown"),
            Self::AccessDenied => (FailureClass::Misconfigured, "access-denied"),
            Self::Redirected => (FailureClass::Misconfigured, "redirected"),
            Self::Invalid => (FailureClass::Misconfigured, "request-refused"),
            Self::InvalidThisTime => (FailureClass::Permanent, "request-refused"),
            Self::ContentRefused => (FailureClass::Permanent, "content-refused"),
            Self::TooLong => (FailureClass::Permanent, "content-too-long"),
            Self::RateLimited => (passing, "rate-limited"),
            Self::Busy => (passing, "provider-busy"),
            Self::Failed => (passing, "provider-failed"),
        }
    }

    /// The part of the request that is refused.
    pub(super) fn parameter(self) -> Option<&'static str> {
        match self {
            Self::ParameterRefused(parameter) => Some(parameter.name),
            _ => None,
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
            Self::ParameterRefused(parameter) => parameter.sentence(capability),
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
            Self::TooLong => format!(
                "the text is too long for this model; shorten the source, or set {capability}_MODEL to one that takes more"
            ),
            Self::RateLimited => "too many calls at this time".to_owned(),
            Self::Busy => "the provider asks for another try".to_owned(),
            Self::Failed => "the provider has a fault of its own".to_owned(),
            Self::Invalid => format!(
                "the server refuses the request and names no part of it; are {capability}_MODEL and {capability}_BASE_URL right?"
            ),
            Self::InvalidThisTime => {
                "the provider refuses this request as invalid, and took the one before".to_owned()
            }
        }
    }
}
