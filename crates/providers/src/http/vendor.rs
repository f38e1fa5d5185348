//! What one vendor says in its own way, so that all else can be said once for all of them.

use reqwest::RequestBuilder;
use serde_json::Value;

use super::account::Capability;
use super::meaning::Meaning;

/// One vendor's ways.
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
    /// Finds the one-word codes in the body of a refusal, the most telling one first.
    pub(crate) words: fn(&Value) -> Vec<&str>,
    /// What such a word, in lower case, means; `None` where the rest says it. The status is 0 where
    /// an error came with a status of success and names none.
    pub(crate) meaning: fn(status: u16, word: &str) -> Option<Meaning>,
    /// The parts of our requests that a server may refuse. The first that was sent and is named
    /// counts: those that are plain English words come last, and the text behind them.
    pub(crate) parameters: &'static [Parameter],
}

/// A part of a request that a server may refuse.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// Whether it carries the job's text.
    pub(crate) is_text: bool,
    /// The capability's setting that mends it, such as `VOICE`; without one, only another model or
    /// server does.
    setting: Option<&'static str>,
}

impl Parameter {
    /// One that no setting decides.
    pub(crate) const fn fixed(name: &'static str) -> Self {
        Self { name, is_text: false, setting: None }
    }

    /// One that the capability's `setting` decides.
    pub(crate) const fn set_by(name: &'static str, setting: &'static str) -> Self {
        Self { name, is_text: false, setting: Some(setting) }
    }

    /// One that carries the job's text.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, is_text: true, setting: None }
    }

    /// What happened and what to do.
    pub(super) fn sentence(&self, capability: Capability) -> String {
        let name = self.name;
        match self.setting {
            Some(setting) => {
                format!("the server refuses the parameter `{name}`; correct {capability}_{setting}")
            }
            None => format!(
                "the server refuses the parameter `{name}`; set {capability}_MODEL or {capability}_BASE_URL to one that takes it"
            ),
        }
    }
}
