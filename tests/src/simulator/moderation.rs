//! A text goes in, what is wrong with it comes out: free of charge, and in the journal.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;

use super::Shared;
use super::faults::{Endpoint, Fault};

/// What a text says that speaks of self-harm, as far as this server knows.
pub const SELF_HARM: &str = "I want to hurt myself";
/// And one of violence.
pub const VIOLENCE: &str = "I want to hurt them all";

pub(super) async fn judge(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut call = match shared.open(Endpoint::Moderation, &headers, &body) {
        Ok(call) => call,
        Err(refused) => return *refused,
    };
    let input = call.asked["input"].as_str().unwrap_or_default();
    let is_self_harm = input.contains(SELF_HARM);
    let is_violence = input.contains(VIOLENCE) || call.fault == Some(Fault::Refuse);
    shared.holds.pass(Endpoint::Moderation).await;
    call.bill.set("done", 200, 0.0);
    let categories = json!({
        "self-harm": is_self_harm, "self-harm/intent": is_self_harm, "violence": is_violence,
        "harassment": false,
    });
    let result = json!({ "flagged": is_self_harm || is_violence, "categories": categories });
    let answer = json!({ "id": "modr-1", "model": call.asked["model"], "results": [result] });
    call.deliver("application/json", answer.to_string())
}
