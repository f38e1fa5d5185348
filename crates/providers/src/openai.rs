//! Prompts go over the wire to any server that speaks OpenAI's shapes; words, speech and pictures
//! come back, or a failure that says what it means.
//!
//! Chat as server-sent events, speech as PCM, pictures as base64. Each capability has its own
//! server, key, model and prices. The client never tries again by itself, never follows a redirect
//! (it would carry the key elsewhere), and nothing of a text or a key gets into an error.

mod chat;
mod client;
mod fault;
mod image;
mod price;
mod probe;
mod prompt;
mod retry_after;
mod speech;
#[cfg(test)]
mod tests;

pub use chat::OpenAiWriter;
pub use client::{Account, Capability, HttpClient};
pub use image::OpenAiPainter;
pub use price::{ImagePrice, SpeechPrice, TokenPrice};
pub use probe::probe;
pub use speech::{OpenAiSpeech, SpeechOptions};

/// The name of all three in records.
const PROVIDER: &str = "openai";
