//! A status and a complaint go in; what they mean comes out: its class, and what to do.
//!
//! A request is ours: but for the text in it, every job would send the same. So what a server
//! complains about in it is the set-up's fault, unless it complains about the text.

use pipeline::FailureClass;

use super::account::Capability;
use super::complaint::Complaint;
use super::vendor::{Parameter, Vendor};

/// Words of an account without money, wherever they stand.
const MONEY: [&str; 15] = [
    "credit",
    "credits",
    "billing",
    "quota",
    "payment",
    "funds",
    "prepaid",
    "arrears",
    "overdue",
    "unpaid",
    "wallet",
    "recharge",
    "top up",
    "top-up",
    "subscription",
];
/// Words that make a balance one of money; texts speak of the other one.
const BALANCE: [&str; 10] = [
    "insufficient",
    "account",
    "low",
    "negative",
    "enough",
    "empty",
    "exhausted",
    "zero",
    "remaining",
    "depleted",
];
/// What says the same even where too many calls are refused, whose limits are quotas too.
const NO_MONEY: [&str; 9] = [
    "insufficient balance",
    "insufficient credit",
    "insufficient credits",
    "insufficient funds",
    "insufficient quota",
    "credit balance",
    "account balance",
    "out of credits",
    "no credits",
];
const KEY: [&str; 4] = ["api key", "api_key", "api-key", "apikey"];
const REFUSED: [&str; 6] = ["invalid", "incorrect", "not valid", "missing", "expired", "wrong"];
/// Words of a rule about contents.
const CONTENT: [&str; 14] = [
    "content policy",
    "content_policy",
    "content policies",
    "content management policy",
    "content filter",
    "content_filter",
    "safety system",
    "policy violation",
    "moderation",
    "violates",
    "inappropriate",
    "harmful",
    "flagged",
    "sensitive content",
];
/// Words of a text that is longer than it may be.
const LENGTH: [&str; 15] = [
    "too long",
    "too_long",
    "context length",
    "context_length",
    "context window",
    "context size",
    "maximum length",
    "max length",
    "maximum number of characters",
    "string_too_long",
    "at most",
    "too many tokens",
    "too many characters",
    "longer than",
    "exceeds",
];

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

/// What a meaning is made out of.
pub(super) struct Refusal<'answer> {
    /// The HTTP status; that in the body of an error with status 200; 0 where there is none.
    pub(super) status: u16,
    /// The vendor's words, in lower case.
    pub(super) words: Vec<String>,
    pub(super) complaint: Complaint,
    /// The names of all that was sent.
    pub(super) sent: Vec<&'answer str>,
    /// Whether the server took the request before this one.
    pub(super) took_last: bool,
}

impl Refusal<'_> {
    /// What it means.
    pub(super) fn meaning(&self, vendor: &'static Vendor) -> Meaning {
        let word = self.words.iter().find_map(|word| (vendor.meaning)(self.status, word));
        let said = || match self.status {
            0 | 400 | 422 => self.account().or_else(|| self.request(vendor)),
            403 => self.account(),
            404 | 405 => self.named(vendor).or_else(|| self.missing(vendor)),
            429 => self.complaint.says_any(&NO_MONEY).then_some(Meaning::NoMoney),
            _ => None,
        };
        let unsaid = || match Meaning::of_status(self.status) {
            Meaning::Invalid if self.took_last => Meaning::InvalidThisTime,
            meaning => meaning,
        };
        word.or_else(said).unwrap_or_else(unsaid)
    }

    /// The account: money, or the key.
    fn account(&self) -> Option<Meaning> {
        let said = &self.complaint;
        let is_money = said.says_any(&MONEY) || (said.says("balance") && said.says_any(&BALANCE));
        let is_key = || said.says_any(&KEY) && said.says_any(&REFUSED);
        if is_money { Some(Meaning::NoMoney) } else { is_key().then_some(Meaning::KeyRefused) }
    }

    /// The request: what it is about decides whose fault it is.
    fn request(&self, vendor: &'static Vendor) -> Option<Meaning> {
        let said = &self.complaint;
        // A server that repeats the whole request names every part of it, and so none.
        let is_echo = self.sent.iter().all(|name| said.quotes(name));
        let quoted = |one: &Parameter| {
            let spelt_out = one.name.replace('_', " ");
            let is_quoted = || said.quotes(one.name) || said.quotes(&spelt_out);
            one.name.contains('_') && !is_echo && is_quoted()
        };
        let is = |phrases: &[&str], meaning| said.says_any(phrases).then_some(meaning);
        self.named(vendor)
            .or_else(|| self.parameter(vendor, quoted))
            .or_else(|| is(&CONTENT, Meaning::ContentRefused))
            .or_else(|| self.missing(vendor))
            .or_else(|| is(&LENGTH, Meaning::TooLong))
            .or_else(|| self.parameter(vendor, |one| said.names(one.name)))
            .or_else(|| self.parameter(vendor, |one| !is_echo && said.says(one.name)))
    }

    /// A part of the request, other than the text, that a field of the body names.
    fn named(&self, vendor: &'static Vendor) -> Option<Meaning> {
        let named = |one: &Parameter| !one.is_text && self.complaint.names(one.name);
        let found = self.parameter(vendor, named)?;
        Some(self.missing(vendor).unwrap_or(found))
    }

    /// A model or a voice that the server does not have.
    fn missing(&self, vendor: &'static Vendor) -> Option<Meaning> {
        if self.complaint.misses("model") || self.complaint.misses("deployment") {
            return Some(Meaning::ModelUnknown);
        }
        self.parameter(vendor, |one| one.name == "voice" && self.complaint.misses("voice"))
    }

    fn parameter(
        &self,
        vendor: &'static Vendor,
        is_meant: impl Fn(&Parameter) -> bool,
    ) -> Option<Meaning> {
        let mut sent = vendor.parameters.iter().filter(|one| self.sent.contains(&one.name));
        sent.find(|one| is_meant(one)).map(Meaning::ParameterRefused)
    }
}

impl Meaning {
    /// What a status means that no vendor has another word for.
    fn of_status(status: u16) -> Self {
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
