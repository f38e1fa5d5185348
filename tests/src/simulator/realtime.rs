//! A socket is opened; each response that is asked for on it speaks one text, as events of sound and of words.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Shared;
use super::admin::{bearer, refusal};
use super::bill::Call;
use super::faults::{Endpoint, Fault};
use super::speech::{RATE, silence};

/// Bytes of sound in an event.
const CHUNK: usize = 24_000;
/// What whoever reads waits for, before a connection breaks behind it.
const FLUSHED: Duration = Duration::from_millis(40);
/// Longest refusal that is looked at.
const MAX_BODY: usize = 1 << 20;

/// Opens a socket, unless key or script refuse it.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    shared.visits().entry(Endpoint::Realtime).or_default().came(b"null");
    let bearer = bearer(&headers);
    let fault = shared.keys().refusal(&bearer).or_else(|| shared.faults().next(Endpoint::Realtime));
    if let Some(fault) = fault {
        return refusal(&fault, &format!("a socket under {bearer}"));
    }
    upgrade.on_upgrade(async move |socket| talk(shared, headers, socket).await)
}

async fn talk(shared: Arc<Shared>, headers: HeaderMap, mut socket: WebSocket) {
    let session = json!({ "type": "session.created", "session": { "type": "realtime" } });
    if send(&mut socket, &session).await.is_err() {
        return;
    }
    while let Some(Ok(Message::Text(text))) = socket.recv().await {
        let event = serde_json::from_str(&text).unwrap_or_default();
        if respond(&shared, &headers, &mut socket, &event).await.is_err() {
            return;
        }
    }
}

/// Fails where the socket shall be open no longer.
async fn respond(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    socket: &mut WebSocket,
    event: &Value,
) -> Result<(), axum::Error> {
    let response = &event["response"];
    let text = response["input"][0]["content"][0]["text"].as_str().unwrap_or_default().to_owned();
    if event["type"] != "response.create" || text.is_empty() {
        return send(socket, &error("invalid_request_error", "no text")).await;
    }
    let body = json!({ "input": text, "response": response }).to_string();
    match shared.open(Endpoint::Speech, headers, body.as_bytes()) {
        Ok(call) => speak(shared, socket, call, &text).await,
        Err(refused) => send(socket, &refused_as_event(*refused).await).await,
    }
}

async fn refused_as_event(refused: Response) -> Value {
    let body = axum::body::to_bytes(refused.into_body(), MAX_BODY).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    json!({ "type": "error", "error": body["error"] })
}

async fn speak(
    shared: &Arc<Shared>,
    socket: &mut WebSocket,
    mut call: Call,
    text: &str,
) -> Result<(), axum::Error> {
    if call.fault == Some(Fault::Expire) {
        call.bill.set("expired", 0, 0.0);
        send(socket, &error("session_expired", "the session has lasted too long")).await?;
        return Err(axum::Error::new("expired"));
    }
    // From here on it is being made, and is paid for, whoever still listens.
    let usd = text.chars().count() as f64 * shared.options.prices.characters / 1e6;
    call.bill.set("left", 0, usd);
    send(socket, &json!({ "type": "response.created", "response": {} })).await?;
    let Ok(pcm) = shared.speech.say(text).await else { return Err(axum::Error::new("no voice")) };
    let seconds = pcm.len() as f64 / 2.0 / f64::from(RATE);
    sleep(shared.options.latency.speech(seconds, &mut call.rng)).await;
    shared.holds.pass(Endpoint::Speech).await;
    let pcm = if call.fault == Some(Fault::Silent) { silence(&pcm) } else { pcm.to_vec() };
    let half = pcm.len() / 4 * 2;
    match call.fault {
        Some(Fault::Reset) => {
            sound(socket, pcm.get(..half).unwrap_or_default()).await?;
            sleep(FLUSHED).await;
            return Err(axum::Error::new("reset"));
        }
        Some(Fault::Stall) => {
            sound(socket, pcm.get(..half).unwrap_or_default()).await?;
            std::future::pending::<Infallible>().await;
        }
        _ => sound(socket, &pcm).await?,
    }
    call.bill.set("done", 200, usd);
    let words = words(text, call.fault.as_ref());
    drop(call);
    send(socket, &json!({ "type": "response.output_audio_transcript.done", "transcript": words }))
        .await?;
    send(socket, &json!({ "type": "rate_limits.updated", "rate_limits": [] })).await?;
    let done = json!({ "status": "completed", "status_details": null });
    send(socket, &json!({ "type": "response.done", "response": done })).await
}

/// What the voice says that it has said.
fn words(text: &str, fault: Option<&Fault>) -> String {
    match fault {
        Some(Fault::Reword) => format!("{text} Now."),
        Some(Fault::Refuse) => "Sure, here is something else altogether for you.".to_owned(),
        _ => text.to_owned(),
    }
}

async fn sound(socket: &mut WebSocket, pcm: &[u8]) -> Result<(), axum::Error> {
    for chunk in pcm.chunks(CHUNK) {
        let delta = STANDARD.encode(chunk);
        send(socket, &json!({ "type": "response.output_audio.delta", "delta": delta })).await?;
    }
    Ok(())
}

fn error(code: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": "invalid_request_error", "code": code, "message": message } })
}

async fn send(socket: &mut WebSocket, event: &Value) -> Result<(), axum::Error> {
    socket.send(Message::text(event.to_string())).await
}
