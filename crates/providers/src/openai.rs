//! Prompts go over the wire to any server that speaks OpenAI's shapes; words, speech and pictures
//! come back, or a failure that says what it means.
//!
//! Chat as server-sent events, speech as PCM, pictures as base64. Each capability has its own
//! server, key, model and prices. What it shares with every other vendor is in `http`.

mod chat;
mod draft;
mod image;
mod price;
mod probe;
mod prompt;
mod speech;
#[cfg(test)]
mod tests;
mod vendor;

pub use chat::OpenAiWriter;
pub use image::OpenAiPainter;
pub use price::{ImagePrice, SpeechPrice, TokenPrice};
pub use probe::probe;
pub use speech::{OpenAiSpeech, SpeechOptions};

pub use crate::http::{Account, Capability, HttpClient};

/// The name of all three in records.
const PROVIDER: &str = "openai";
