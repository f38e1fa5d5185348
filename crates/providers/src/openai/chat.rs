//! A prompt goes in, words come out as the model writes them: `POST /chat/completions`, streamed.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use pipeline::{Draft, DraftPiece, Finish, Prompt, ProviderError, TranscriptWriter, Usage};
use reqwest::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::client::{Account, Client, HttpClient, is_page, media_type};
use super::price::TokenPrice;
use super::{PROVIDER, fault, prompt};

/// Longest silence within a stream: models pause for a second, not for half a minute.
const STALL: Duration = Duration::from_secs(30);
/// Most tokens of an answer: 500 words are some 700 tokens in English, twice that elsewhere. Rate
/// limits count the number asked for, so more would be paid for in waiting.
const MAX_TOKENS: u32 = 1_600;
/// Most bytes of a stream: 1,600 tokens, each in an event of half a kilobyte.
const MAX_BYTES: usize = 4 << 20;
/// Characters of a token, where nobody counts.
const TOKEN: usize = 4;

/// The writer behind a chat model.
#[derive(Clone, Debug)]
pub struct OpenAiWriter {
    client: Client,
    price: TokenPrice,
}

impl OpenAiWriter {
    /// A writer on `account`.
    pub fn new(http: HttpClient, account: Account, price: TokenPrice) -> Self {
        Self { client: Client::new(http, account), price }
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
        let model = &self.client.account.model;
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
        let response = self.client.post("/chat/completions", &body).await?;
        Reading::of(self.clone(), response)
    }

    fn estimate(&self, prompt: &Prompt, written: usize) -> Usage {
        let asked = prompt::messages(prompt);
        let content = |message: &serde_json::Value| {
            message["content"].as_str().map_or(0, |text| text.chars().count())
        };
        let asked: usize = asked.as_array().into_iter().flatten().map(content).sum();
        self.price.usage(tokens(asked), tokens(written))
    }
}

fn tokens(characters: usize) -> u64 {
    u64::try_from(characters.div_ceil(TOKEN)).unwrap_or(u64::MAX)
}

/// Why a stream of bytes ended too early.
enum Broken {
    Lost(reqwest::Error),
    TooLong,
}

/// A stream under way.
struct Reading {
    writer: OpenAiWriter,
    events: BoxStream<'static, Result<Event, EventStreamError<Broken>>>,
    finish: Option<Finish>,
    usage: Usage,
    is_over: bool,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Tokens>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

impl Reading {
    fn of(writer: OpenAiWriter, response: Response) -> Result<Draft, ProviderError> {
        let account = &writer.client.account;
        if is_page(response.headers()) {
            return Err(fault::unreadable(account, "is a web page, not a stream"));
        }
        if media_type(response.headers()) != "text/event-stream" {
            return Err(fault::unreadable(account, "is not a stream of events"));
        }
        let events = bounded(response).eventsource().boxed();
        let reading =
            Self { writer, events, finish: None, usage: Usage::default(), is_over: false };
        let pieces = stream::unfold(reading, async |mut reading| {
            let piece = reading.next().await?;
            Some((piece, reading))
        });
        Ok(pieces.boxed())
    }

    /// The next piece; none behind an end or an error.
    async fn next(&mut self) -> Option<Result<DraftPiece, ProviderError>> {
        if self.is_over {
            return None;
        }
        let piece = self.piece().await;
        self.is_over = !matches!(piece, Ok(DraftPiece::Text(_)));
        Some(piece)
    }

    async fn piece(&mut self) -> Result<DraftPiece, ProviderError> {
        loop {
            let event = match timeout(STALL, self.events.next()).await {
                Ok(Some(Ok(event))) => event,
                Ok(Some(Err(error))) => return self.end_or(self.broken(&error)),
                Ok(None) => return self.end_or(cut("the stream ended without saying why")),
                Err(_) => return self.end_or(cut("the stream fell silent in the middle")),
            };
            if event.data.trim() == "[DONE]" {
                return self.end_or(cut("the stream ended without saying why"));
            }
            let chunk = serde_json::from_str(&event.data).map_err(|_| self.unreadable())?;
            if let Some(text) = self.take(chunk)? {
                return Ok(DraftPiece::Text(text));
            }
        }
    }

    /// Notes what a chunk says; returns its text.
    fn take(&mut self, chunk: Chunk) -> Result<Option<String>, ProviderError> {
        if chunk.error.is_some() {
            let message = "the provider failed in the middle of the stream";
            return Err(ProviderError::transient(PROVIDER, "provider-failed", message));
        }
        if let Some(tokens) = chunk.usage {
            self.usage = self.writer.price.usage(tokens.prompt_tokens, tokens.completion_tokens);
        }
        let Some(choice) = chunk.choices.into_iter().next() else { return Ok(None) };
        if choice.delta.refusal.is_some_and(|refusal| !refusal.is_empty()) {
            self.finish = Some(Finish::Refused);
        }
        if let Some(reason) = choice.finish_reason {
            let finish = finish(&reason).ok_or_else(|| self.unreadable())?;
            self.finish.get_or_insert(finish);
        }
        Ok(choice.delta.content.filter(|text| !text.is_empty()))
    }

    /// The end, when the reason for it was given; nothing that follows can change it.
    fn end_or(&mut self, error: ProviderError) -> Result<DraftPiece, ProviderError> {
        let finish = self.finish.ok_or(error)?;
        Ok(DraftPiece::End { finish, usage: std::mem::take(&mut self.usage) })
    }

    fn broken(&self, error: &EventStreamError<Broken>) -> ProviderError {
        match error {
            EventStreamError::Transport(Broken::Lost(error)) => fault::lost(error),
            EventStreamError::Transport(Broken::TooLong) => {
                fault::unreadable(&self.writer.client.account, "is larger than any transcript")
            }
            EventStreamError::Utf8(_) => {
                fault::unreadable(&self.writer.client.account, "is not valid UTF-8")
            }
            EventStreamError::Parser(_) => self.unreadable(),
        }
    }

    fn unreadable(&self) -> ProviderError {
        fault::unreadable(&self.writer.client.account, "holds an event that is not of this API")
    }
}

fn finish(reason: &str) -> Option<Finish> {
    match reason {
        "stop" => Some(Finish::Complete),
        "length" => Some(Finish::Length),
        "content_filter" => Some(Finish::Refused),
        _ => None,
    }
}

fn cut(message: &str) -> ProviderError {
    ProviderError::transient(PROVIDER, "transcript-cut", message)
}

/// The body's bytes, up to a limit: events without an end would fill the memory.
fn bounded(response: Response) -> impl futures::Stream<Item = Result<Bytes, Broken>> + Send {
    let mut left = MAX_BYTES;
    response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(Broken::Lost)?;
        left = left.checked_sub(chunk.len()).ok_or(Broken::TooLong)?;
        Ok(chunk)
    })
}
