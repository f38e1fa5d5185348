//! A prompt goes in, words come out as the model writes them: `POST /chat/completions`, streamed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Draft, Prompt, ProviderError, TranscriptWriter, Usage};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::dialect::{COUNT, Dialect, EFFORT, Manner, STREAM};
use super::draft::{self, Question};
use super::price::{TokenPrice, tokens_of};
use super::vendor::OPENAI;
use super::{PROVIDER, prompt};
use crate::http::{Account, ApiClient, HttpClient};

/// How words are bought.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// What they cost.
    pub price: TokenPrice,
    /// Most tokens of an answer, thoughts among them (`LLM_MAX_TOKENS`). Rate limits count the number
    /// asked for, so more would be paid for in waiting.
    pub max_tokens: u32,
    /// Longest silence within an answer (`LLM_STALL_TIMEOUT`); whatever comes ends a silence.
    pub stall_timeout: Duration,
}

/// The writer behind a chat model. Clones share what was found out about its server.
#[derive(Clone, Debug)]
pub struct OpenAiWriter {
    client: ApiClient,
    options: WriterOptions,
    dialect: Arc<Dialect>,
}

impl OpenAiWriter {
    /// A writer on `account`.
    pub fn new(http: HttpClient, account: Account, options: WriterOptions) -> Self {
        let dialect = Arc::new(Dialect::new(options.max_tokens));
        Self { client: ApiClient::new(http, &OPENAI, account), options, dialect }
    }

    /// How its server is asked from now on, as far as that is known, in words for people.
    pub fn manner(&self) -> String {
        let manner = self.dialect.manner();
        let stall = self.options.stall_timeout;
        format!("{}; at most {stall:?} of silence (LLM_STALL_TIMEOUT)", manner.told())
    }

    fn body(&self, prompt: &Prompt, manner: Manner) -> Value {
        let model = self.client.model();
        let limit = manner.limit_name();
        let mut body = json!({
            "model": model,
            "messages": prompt::messages(prompt),
            limit: manner.limit,
        });
        if manner.sends(STREAM) {
            body[STREAM] = true.into();
        }
        if manner.sends(COUNT) {
            body[COUNT] = json!({ "include_usage": true });
        }
        // These think at length unless told not to, out of the same tokens.
        if model.starts_with("gpt-6") && manner.sends(EFFORT) {
            body[EFFORT] = "none".into();
        }
        body
    }
}

#[async_trait]
impl TranscriptWriter for OpenAiWriter {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    fn model(&self) -> Option<&str> {
        Some(self.client.model())
    }

    fn revision(&self) -> String {
        let Self { client, options, dialect: _ } = self;
        let WriterOptions { price: _, max_tokens, stall_timeout: _ } = options;
        format!("{} {} {max_tokens}", prompt::REVISION, client.revision())
    }

    /// A refused question costs nothing, so it is put again at once without what was refused; the
    /// dialect names each part once, so this ends.
    async fn write(&self, prompt: &Prompt) -> Result<Draft, ProviderError> {
        loop {
            self.dialect.known.check()?;
            let manner = self.dialect.manner();
            let sent = self.body(prompt, manner);
            let asked_at = Instant::now();
            match self.client.post("/chat/completions", &sent).await {
                Ok(reply) => {
                    let question = Question {
                        client: self.client.clone(),
                        price: self.options.price,
                        dialect: Arc::clone(&self.dialect),
                        manner,
                        stall: self.options.stall_timeout,
                        asked: asked(prompt),
                        asked_at,
                        least: *prompt.words.start(),
                        sent,
                    };
                    return Ok(draft::read(question, reply));
                }
                Err(error) if self.dialect.refuses(error.parameter, manner) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn tokens(&self, prompt: &Prompt) -> u64 {
        asked(prompt) + u64::from(self.dialect.manner().limit)
    }

    fn estimate(&self, prompt: &Prompt, written: usize) -> Usage {
        self.options.price.usage(asked(prompt), tokens_of(written))
    }
}

/// Tokens of a question, as near as can be told.
fn asked(prompt: &Prompt) -> u64 {
    let messages = prompt::messages(prompt);
    let content =
        |message: &Value| message["content"].as_str().map_or(0, |text| text.chars().count());
    tokens_of(messages.as_array().into_iter().flatten().map(content).sum())
}
