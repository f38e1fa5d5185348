//! A writer's server that answers as a test says, byte by byte, and tells what it was asked.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What a call gets.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The media type; none is named where it is empty.
    pub(crate) kind: &'static str,
    /// What goes onto the wire, piece by piece.
    pub(crate) pieces: Vec<Vec<u8>>,
}

impl Answer {
    /// A stream of events.
    pub(crate) fn events(text: impl Into<String>) -> Self {
        let pieces = vec![text.into().into_bytes()];
        Self { status: 200, kind: "text/event-stream", pieces }
    }

    /// One document.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let pieces = vec![body.to_string().into_bytes()];
        Self { status, kind: "application/json", pieces }
    }

    /// A refusal of one part of the request, in the words of many servers.
    pub(crate) fn refuses(parameter: &str) -> Self {
        let message = format!("Unrecognized request argument supplied: {parameter}");
        let kind = "invalid_request_error";
        Self::json(400, &json!({ "error": { "message": message, "type": kind, "code": null } }))
    }

    pub(crate) fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// The same in pieces of so many bytes.
    pub(crate) fn cut(self, bytes: usize) -> Self {
        let whole = self.pieces.concat();
        Self { pieces: whole.chunks(bytes).map(<[u8]>::to_vec).collect(), ..self }
    }
}

type Script = dyn Fn(usize, &Value) -> Answer + Send + Sync;

/// A running server; gone when dropped.
pub(crate) struct ChatServer {
    pub(crate) base_url: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

struct Shared {
    script: Box<Script>,
    asked: Mutex<Vec<Value>>,
}

impl ChatServer {
    /// `script` is told how many calls came before, and what is asked.
    pub(crate) async fn start(
        script: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { script: Box::new(script), asked: Mutex::default() });
        let app = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Ends only with its owner.
            let _ = axum::serve(listener, app).await;
        });
        Self { base_url, shared, _server: server }
    }

    /// Every question so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn complete(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let before = {
        let mut all = shared.asked.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(asked.clone());
        all.len() - 1
    };
    let Answer { status, kind, pieces } = (shared.script)(before, &asked);
    let pieces = pieces.into_iter().map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
    let mut response = Response::new(Body::from_stream(stream::iter(pieces)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    if !kind.is_empty() {
        response.headers_mut().insert("content-type", kind.parse().unwrap());
    }
    response
}

/// So many words of a meditation, in paragraphs of thirty.
pub(crate) fn words(count: usize) -> String {
    let sentence = "Let the breath come and go as it likes. ";
    assert!(count.is_multiple_of(27), "whole paragraphs of 27 words");
    format!("{}\n\n", sentence.repeat(3)).repeat(count / 27)
}

/// An event with words.
pub(crate) fn says(text: &str) -> String {
    event(&json!({ "choices": [{ "delta": { "content": text }, "finish_reason": null }] }))
}

/// An event with a thought that is set apart.
pub(crate) fn thinks(text: &str) -> String {
    event(&json!({ "choices": [{ "delta": { "content": null, "reasoning_content": text } }] }))
}

/// An event that ends the words.
pub(crate) fn stops(reason: impl Into<Value>) -> String {
    event(&json!({ "choices": [{ "delta": {}, "finish_reason": reason.into() }] }))
}

/// An event that counts tokens.
pub(crate) fn counts(input: u64, output: u64) -> String {
    let usage = json!({ "prompt_tokens": input, "completion_tokens": output });
    event(&json!({ "choices": [], "usage": usage }))
}

pub(crate) fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

pub(crate) const DONE: &str = "data: [DONE]\n\n";
