//! `GET /metrics`: the numbers of the queue as a whole, in `OpenMetrics` text.
//!
//! They are the queue's, not this process': every replica shows the same, so that whoever asks takes
//! the maximum over replicas, never their sum. What a worker does, it tells itself.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::numbers::{Beside, Numbers};
use crate::problem::Problem;
use crate::state::Api;

/// Shows the queue's numbers for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "server", security(("token" = ["enqueue", "read", "operate"])),
    responses(
        (status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"),
        Failures
    )
)]
pub(crate) async fn scrape(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Right::Read)?;
    let numbers = Numbers::read(&api.inspector).await?;
    let demand = api.inspector.demand(&numbers.stats, &numbers.waits).await?;
    let page = numbers.page(&Beside {
        desired_replicas: demand.replicas(api.backlog_target),
        watched: api.hub.len(),
        searched: api.mirror.len(),
    });
    Ok(([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], page).into_response())
}
