//! What one vendor says in its own way, so that all else can be said once for all of them.

use reqwest::RequestBuilder;
use serde_json::Value;

use super::meaning::Meaning;
use super::parameter::Parameter;

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
