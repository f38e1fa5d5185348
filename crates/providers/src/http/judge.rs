//! A status and a complaint go in; what they mean comes out.
//!
//! A request is ours: but for the text in it, every job would send the same. So what a server
//! complains about in it is the set-up's fault, unless it complains about the text.

use super::complaint::Complaint;
use super::meaning::Meaning;
use super::parameter::Parameter;
use super::vendor::Vendor;

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
