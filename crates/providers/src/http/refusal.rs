//! An answer with a status other than a success goes in; a failure of the right class comes out.
//!
//! A server's own sentence is never repeated: it may quote the prompt, or a part of the key. Its
//! one-word code and its request number may be.

use pipeline::{FailureClass, ProviderError};
use reqwest::Response;
use serde_json::Value;

use super::origin::Origin;
use super::retry_after::retry_after;
use super::vendor::{Meaning, Vendor};

/// Longest error body that is looked at.
const MAX_ERROR: usize = 16 << 10;
/// Longest word or number that is repeated.
const MAX_WORD: usize = 64;

/// The failure that a status other than a success means.
pub(super) async fn refused(origin: Origin, mut response: Response) -> ProviderError {
    let Origin { vendor, capability } = origin;
    let (status, asked) = (response.status().as_u16(), retry_after(response.headers()));
    let number = number(vendor, &response).map(|number| format!(", request {number}"));
    let word = word(vendor, &beginning(&mut response).await);
    let meaning = word.as_deref().and_then(|word| (vendor.meaning)(status, word));
    let meaning = meaning.unwrap_or_else(|| Meaning::of_status(status));
    let number = number.unwrap_or_default();
    let word = word.map(|word| format!(", {word}")).unwrap_or_default();
    let sentence = meaning.sentence(capability, vendor.key_setting);
    let message = format!("{sentence} (status {status}{number}{word})");
    let (class, code) = meaning.class();
    let class = match class {
        FailureClass::Transient { .. } => FailureClass::Transient { retry_after: asked },
        class => class,
    };
    ProviderError::new(vendor.provider, class, code, message)
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

fn word(vendor: &Vendor, body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let word = (vendor.word)(&body)?;
    is_plain(word, |c| c.is_ascii_lowercase()).then(|| word.to_owned())
}

/// Short, and of such letters that it can be neither a text nor a key.
fn is_plain(text: &str, is_letter: impl Fn(char) -> bool) -> bool {
    (1..=MAX_WORD).contains(&text.len()) && text.chars().all(|c| is_letter(c) || "_-".contains(c))
}
