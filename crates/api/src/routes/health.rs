//! `/healthz` and `/readyz`: whether the server lives, and whether it can do anything.

use std::time::Duration;

use crate::problem::{Code, Problem, ProblemBody};
use axum::extract::State;

use crate::state::Api;

/// Longest wait for Redis: those who ask wait as long at most.
const ANSWER: Duration = Duration::from_secs(2);

/// Says that the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "server", security(()),
    responses((status = 200, description = "It lives", body = String, content_type = "text/plain"))
)]
pub(crate) async fn is_live() -> &'static str {
    "live\n"
}

/// Says whether the queue's Redis answers.
#[utoipa::path(
    get, path = "/readyz", tag = "server", security(()),
    responses(
        (status = 200, description = "It answers", body = String, content_type = "text/plain"),
        (status = 503, description = "It does not", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn is_ready(State(api): State<Api>) -> Result<&'static str, Problem> {
    let asked = tokio::time::timeout(ANSWER, api.inspector.stats()).await;
    match asked {
        Ok(Ok(_)) => Ok("ready\n"),
        _ => Err(Problem::new(Code::QueueAway, Code::QueueAway.title())),
    }
}
