//! The answer to one question goes in; the pieces of a draft come out.

mod verdict;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use pipeline::{Draft, DraftPiece, Finish, ProviderError};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use self::verdict::Verdict;
use super::PROVIDER;
use super::answer::{AnswerParser, Said};
use super::dialect::{Dialect, Manner};
use super::price::TokenPrice;
use crate::http::{ApiClient, Reply, WireFact};

/// Longest wait for what follows the last word: what it has cost, and the server's own end.
const TAIL: Duration = Duration::from_secs(5);
/// Most bytes of an answer for each token, each in an event of its own; and beside those.
const BYTES_A_TOKEN: usize = 4 << 10;
const BYTES_BESIDE: usize = 1 << 20;

/// A question that was put, and all that its answer is judged by.
pub(super) struct Question {
    pub(super) client: ApiClient,
    pub(super) price: TokenPrice,
    pub(super) dialect: Arc<Dialect>,
    pub(super) manner: Manner,
    /// Longest silence within the answer.
    pub(super) stall: Duration,
    /// The request's body.
    pub(super) sent: Value,
    /// Tokens of the prompt, as near as can be told.
    pub(super) asked: u64,
    /// When it was put.
    pub(super) asked_at: Instant,
    /// Words that are wanted at least.
    pub(super) least: usize,
}

/// An answer under way.
struct Reading {
    question: Question,
    body: BoxStream<'static, Result<Bytes, ProviderError>>,
    parser: AnswerParser,
    ready: VecDeque<Said>,
    /// Characters handed on.
    given: usize,
    /// Until when what follows the last word is waited for.
    until: Option<Instant>,
    /// Whether all of the answer is read.
    is_read: bool,
    is_over: bool,
    /// When the last words came.
    heard_at: Option<Instant>,
}

/// The pieces of the draft that `reply` brings.
pub(super) fn read(question: Question, reply: Reply) -> Draft {
    let tokens = usize::try_from(question.manner.limit).unwrap_or(usize::MAX);
    let most = tokens.saturating_mul(BYTES_A_TOKEN).saturating_add(BYTES_BESIDE);
    pieces(question, reply.stream(most).boxed())
}

fn pieces(question: Question, body: BoxStream<'static, Result<Bytes, ProviderError>>) -> Draft {
    let reading = Reading {
        body,
        parser: AnswerParser::new(question.manner.hold),
        question,
        ready: VecDeque::new(),
        given: 0,
        until: None,
        is_read: false,
        is_over: false,
        heard_at: None,
    };
    let pieces = stream::unfold(reading, async |mut reading| {
        let piece = reading.next().await?;
        Some((piece, reading))
    });
    pieces.boxed()
}

impl Reading {
    /// The next piece; none behind an end or an error.
    async fn next(&mut self) -> Option<Result<DraftPiece, ProviderError>> {
        if self.is_over {
            return None;
        }
        let piece = self.piece().await;
        self.is_over = !matches!(piece, Ok(DraftPiece::Text(_) | DraftPiece::Retract));
        let verdict = self.verdict();
        Some(piece.map_err(|error| verdict.booked(error)))
    }

    async fn piece(&mut self) -> Result<DraftPiece, ProviderError> {
        loop {
            match self.ready.pop_front() {
                Some(Said::Text(text)) => {
                    self.given += text.chars().count();
                    return Ok(DraftPiece::Text(text));
                }
                Some(Said::Retract) => {
                    self.learn();
                    return Ok(DraftPiece::Retract);
                }
                // Nothing behind its end can change a draft.
                Some(Said::Error(_) | Said::Flaw(_)) if self.parser.finish.is_some() => {}
                Some(Said::Error(body)) => return Err(self.refused(&body)),
                Some(Said::Flaw(what)) => return Err(self.question.client.unreadable(what)),
                None if self.is_read => return self.end(),
                None => self.read_on().await?,
            }
        }
    }

    /// Reads the next bytes. An answer that breaks behind its end is whole.
    async fn read_on(&mut self) -> Result<(), ProviderError> {
        let (taken, chunks) = (self.parser.taken, self.parser.chunks);
        match self.bytes().await {
            Ok(Some(bytes)) => {
                self.ready.extend(self.parser.push(&bytes));
                self.tell(self.parser.chunks - chunks);
                self.is_read = self.parser.is_done;
            }
            Ok(None) => self.is_read = true,
            Err(_) if self.parser.finish.is_some() => self.is_read = true,
            Err(error) => return Err(error),
        }
        if self.parser.finish.is_some() {
            if self.parser.taken > taken {
                self.until = None; // Some servers say so with each piece.
            }
            self.until.get_or_insert_with(|| Instant::now() + TAIL);
        }
        if self.is_read {
            self.ready.extend(self.parser.finish());
        }
        Ok(())
    }

    /// Lets whoever hears know of words that came at once.
    fn tell(&mut self, chunks: usize) {
        let now = Instant::now();
        for _ in 0..chunks {
            let fact = match self.heard_at.replace(now) {
                None => WireFact::FirstChunk(now - self.question.asked_at),
                Some(before) => WireFact::NextChunk(now - before),
            };
            self.question.client.tell(fact);
        }
    }

    /// The next bytes, whatever they say: a comment is a sign of life too.
    async fn bytes(&mut self) -> Result<Option<Bytes>, ProviderError> {
        let stall = self.question.stall;
        let until = self.until.unwrap_or_else(|| Instant::now() + stall);
        let Ok(bytes) = timeout_at(until, self.body.next()).await else {
            let message = format!("the stream fell silent for {stall:?} (LLM_STALL_TIMEOUT)");
            return Err(ProviderError::transient(PROVIDER, "transcript-cut", message));
        };
        bytes.transpose()
    }

    /// The failure that an error in the answer means. A refused part of the question is done without
    /// at the next try.
    fn refused(&self, body: &Value) -> ProviderError {
        let Question { client, dialect, manner, sent, .. } = &self.question;
        let error = client.refused_in(sent, body);
        if dialect.refuses(error.parameter, *manner) {
            return ProviderError::transient(PROVIDER, error.code, error.message);
        }
        error
    }

    fn end(&self) -> Result<DraftPiece, ProviderError> {
        let Question { dialect, manner, .. } = &self.question;
        self.learn();
        let verdict = self.verdict();
        let finish = self.parser.finish.unwrap_or(Finish::Unstated);
        let ended = match verdict.failure(dialect, *manner) {
            Some(error) => Err(error),
            None => Ok(DraftPiece::End { finish, usage: verdict.usage() }),
        };
        dialect.known.learn(&ended);
        ended
    }

    fn learn(&self) {
        if let Some(habit) = self.parser.habit() {
            self.question.dialect.thinks(habit);
        }
    }

    fn verdict(&self) -> Verdict<'_> {
        let Question { price, asked, least, .. } = self.question;
        let (parser, given) = (&self.parser, self.given);
        Verdict { parser, price, asked, least, given }
    }
}

#[cfg(test)]
mod tests;
