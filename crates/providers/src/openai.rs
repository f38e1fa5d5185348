//! Prompts go over the wire to any server that speaks OpenAI's shapes; words, speech and pictures
//! come back, or a failure that says what it means.
//!
//! Chat as server-sent events, speech as whatever sound, pictures as base64 or links, and judgements. Each capability
//! has its own server, key, model and prices. What it shares with every other vendor is in `http`.

mod answer;
mod chat;
mod chunk;
mod dialect;
mod draft;
mod envelope;
#[cfg(test)]
mod fuzz;
mod image;
mod moderation;
mod price;
mod probe;
mod prompt;
mod realtime;
mod sound_format;
mod speech;
mod sse;
#[cfg(test)]
mod tests;
mod thought;
mod vendor;
mod waste;
mod wrapped;

pub use chat::{OpenAiWriter, WriterOptions};
pub use image::{OpenAiPainter, PictureOptions};
pub use moderation::OpenAiModerator;
pub use price::{ImagePrice, SpeechPrice, TokenPrice};
pub use probe::{probe, shutdown_date};
pub use realtime::RealtimeSpeech;
pub use sound_format::SoundFormat;
pub use speech::{OpenAiSpeech, SpeechOptions};

pub use crate::http::{
    Account, Capability, Ear, HttpClient, RateLimit, RateLimits, WireEvent, WireFact,
};

/// The name of all of them in records.
const PROVIDER: &str = "openai";
