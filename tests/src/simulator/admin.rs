//! The doors for whoever runs a test by hand: scripts, keys, the journal.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::bill::{Bill, Purchase};
use super::faults::{Endpoint, Fault};

/// What `POST /simulator/faults` takes.
#[derive(Deserialize)]
pub(super) struct Script {
    endpoint: Endpoint,
    faults: Vec<Option<Fault>>,
}

/// What `POST /simulator/keys` takes.
#[derive(Deserialize)]
pub(super) struct KeyState {
    key: String,
    revoked: bool,
}

pub(super) async fn script(State(shared): State<Arc<Shared>>, Json(script): Json<Script>) {
    shared.faults().script(script.endpoint, script.faults);
}

pub(super) async fn set_key(State(shared): State<Arc<Shared>>, Json(state): Json<KeyState>) {
    shared.keys().set_revoked(&state.key, state.revoked);
}

pub(super) async fn purchases(State(shared): State<Arc<Shared>>) -> Json<Vec<Purchase>> {
    Json(shared.purchases.all())
}

pub(super) async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let bearer = bearer(&headers);
    let fault = shared.keys().refusal(&bearer).or_else(|| shared.faults().next(Endpoint::Models));
    if fault == Some(Fault::Stall) {
        std::future::pending::<()>().await;
    }
    let quoted = format!("a list under {bearer}");
    if let Some((_, response)) = fault.and_then(|fault| unlike(&fault, &quoted)) {
        return response;
    }
    // The days are those that were announced late in 2026.
    let models = [
        ("gpt-6-luna", Value::Null),
        ("gpt-4o-mini-tts", Value::from("2027-01-06")),
        ("gpt-image-2.5-flare", Value::Null),
    ];
    let model = |(id, shutdown_date)| {
        json!({
            "id": id, "object": "model", "created": 0, "owned_by": "simulator", "shutdown_date": shutdown_date,
        })
    };
    let data: Vec<Value> = models.map(model).into();
    answer(200, "application/json", json!({ "object": "list", "data": data }).to_string())
}

pub(super) fn bearer(headers: &HeaderMap) -> String {
    let value = headers.get("authorization").and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned()
}

pub(super) fn answer(status: u16, kind: &str, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    if let Ok(kind) = kind.parse() {
        response.headers_mut().insert("content-type", kind);
    }
    response
}

/// An error as real providers answer it: its message quotes what must never be repeated.
pub(super) fn refusal(fault: &Fault, quoted: &str) -> Response {
    let Fault::Status { status, code, headers } = fault else {
        return answer(500, "text/plain", "not a status");
    };
    let message = format!("Refused: {quoted}");
    let error = json!({ "message": message, "type": "simulated", "param": null, "code": code });
    let mut response = answer(*status, "application/json", json!({ "error": error }).to_string());
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (name.parse::<axum::http::HeaderName>(), value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("x-request-id", axum::http::HeaderValue::from_static("req_1"));
    response
}

/// The answers that every endpoint may give instead of its own; none when it shall go on.
pub(super) fn instead(fault: &Fault, bill: &mut Bill, quoted: &str) -> Option<Response> {
    let (outcome, response) = unlike(fault, quoted)?;
    bill.set(outcome, response.status().as_u16(), 0.0);
    Some(response)
}

/// An answer unlike what was asked for, and its word in the journal.
fn unlike(fault: &Fault, quoted: &str) -> Option<(&'static str, Response)> {
    Some(match fault {
        Fault::Status { .. } => ("refused", refusal(fault, quoted)),
        Fault::Html => ("html", answer(200, "text/html", "<html><h1>It works!</h1></html>")),
        Fault::InvalidUtf8 => {
            let kind = "application/json";
            ("invalid_utf8", answer(200, kind, vec![b'{', b'"', 0xff, 0xfe, b'"', b'}']))
        }
        Fault::Empty => ("empty", answer(200, "application/json", "")),
        _ => return None,
    })
}
