//! A stream of server-sent events goes in; the pieces of a draft come out.

use std::time::Duration;

use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use pipeline::{Draft, DraftPiece, Finish, ProviderError, Usage};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::PROVIDER;
use super::price::TokenPrice;
use crate::http::{ApiClient, Reply};

/// Longest silence within a stream: models pause for a second, not for half a minute.
const STALL: Duration = Duration::from_secs(30);
/// Most bytes of a stream: 1,600 tokens, each in an event of half a kilobyte.
const MAX_BYTES: usize = 4 << 20;

/// A stream under way.
struct Reading {
    client: ApiClient,
    price: TokenPrice,
    events: BoxStream<'static, Result<Event, EventStreamError<ProviderError>>>,
    finish: Option<Finish>,
    usage: Usage,
    is_over: bool,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Tokens>,
    error: Option<Value>,
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

/// The pieces of the draft that `reply` streams.
pub(super) fn read(
    client: ApiClient,
    price: TokenPrice,
    reply: Reply,
) -> Result<Draft, ProviderError> {
    if reply.is_page() {
        return Err(client.unreadable("is a web page, not a stream"));
    }
    if reply.media_type() != "text/event-stream" {
        return Err(client.unreadable("is not a stream of events"));
    }
    let events = reply.stream(MAX_BYTES).eventsource().boxed();
    let (finish, usage) = (None, Usage::default());
    let reading = Reading { client, price, events, finish, usage, is_over: false };
    let pieces = stream::unfold(reading, async |mut reading| {
        let piece = reading.next().await?;
        Some((piece, reading))
    });
    Ok(pieces.boxed())
}

impl Reading {
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
                Ok(Some(Err(error))) => return self.end_or(self.broken(error)),
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
        if let Some(error) = chunk.error {
            return Err(self.client.refused_in(&Value::Null, &json!({ "error": error })));
        }
        if let Some(tokens) = chunk.usage {
            self.usage = self.price.usage(tokens.prompt_tokens, tokens.completion_tokens);
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

    fn broken(&self, error: EventStreamError<ProviderError>) -> ProviderError {
        match error {
            EventStreamError::Transport(error) => error,
            EventStreamError::Utf8(_) => self.client.unreadable("is not valid UTF-8"),
            EventStreamError::Parser(_) => self.unreadable(),
        }
    }

    fn unreadable(&self) -> ProviderError {
        self.client.unreadable("holds an event that is not of this API")
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
