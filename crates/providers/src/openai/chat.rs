//! A prompt goes in, words come out as the model writes them: `POST /chat/completions`, streamed.

use async_trait::async_trait;
use pipeline::{Draft, Prompt, ProviderError, TranscriptWriter, Usage};
use serde_json::{Value, json};

use super::price::TokenPrice;
use super::vendor::OPENAI;
use super::{PROVIDER, draft, prompt};
use crate::http::{Account, ApiClient, HttpClient};

/// Most tokens of an answer: 500 words are some 700 tokens in English, twice that elsewhere. Rate
/// limits count the number asked for, so more would be paid for in waiting.
const MAX_TOKENS: u32 = 1_600;
/// Characters of a token, where nobody counts.
const TOKEN: usize = 4;

/// The writer behind a chat model.
#[derive(Clone, Debug)]
pub struct OpenAiWriter {
    client: ApiClient,
    price: TokenPrice,
}

impl OpenAiWriter {
    /// A writer on `account`.
    pub fn new(http: HttpClient, account: Account, price: TokenPrice) -> Self {
        Self { client: ApiClient::new(http, &OPENAI, account), price }
    }

    fn body(&self, prompt: &Prompt) -> Value {
        let model = self.client.model();
        let mut body = json!({
            "model": model,
            "messages": prompt::messages(prompt),
            "stream": true,
            "stream_options": { "include_usage": true },
            "max_completion_tokens": MAX_TOKENS,
        });
        // These think at length unless told not to, out of the same tokens.
        if model.starts_with("gpt-6") {
            body["reasoning_effort"] = "none".into();
        }
        body
    }
}

#[async_trait]
impl TranscriptWriter for OpenAiWriter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn revision(&self) -> String {
        let Self { client, price: _ } = self;
        format!("{} {} {MAX_TOKENS}", prompt::REVISION, client.revision())
    }

    async fn write(&self, prompt: &Prompt) -> Result<Draft, ProviderError> {
        let reply = self.client.post("/chat/completions", &self.body(prompt)).await?;
        draft::read(self.client.clone(), self.price, reply)
    }

    fn estimate(&self, prompt: &Prompt, written: usize) -> Usage {
        let asked = prompt::messages(prompt);
        let content =
            |message: &Value| message["content"].as_str().map_or(0, |text| text.chars().count());
        let asked: usize = asked.as_array().into_iter().flatten().map(content).sum();
        self.price.usage(tokens(asked), tokens(written))
    }
}

fn tokens(characters: usize) -> u64 {
    u64::try_from(characters.div_ceil(TOKEN)).unwrap_or(u64::MAX)
}
