//! `/v1/queue` and `/v1/workers`: the queue as a whole is shown, paused and resumed.

use ::queue::{QueueStats, WorkerSeen};
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::audit::ReasonQuery;
use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::problem::Problem;
use crate::state::Api;

/// Shows one consistent look at the queue, at constant cost.
#[utoipa::path(
    get, path = "/v1/queue", tag = "queue", security(("token" = ["enqueue", "read", "operate"])),
    responses((status = 200, description = "The numbers of this moment", body = QueueStats), Failures)
)]
pub(crate) async fn show_queue(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<QueueStats>, Problem> {
    caller.may(Right::Read)?;
    Ok(Json(api.inspector.stats().await?))
}

/// Whether claims are stopped.
#[derive(Serialize, ToSchema)]
pub(crate) struct Paused {
    /// Whether they are now.
    paused: bool,
    /// Whether this call has changed it.
    changed: bool,
}

/// Stops claims; running jobs finish, and everything else goes on.
#[utoipa::path(
    post, path = "/v1/queue/pause", tag = "queue", security(("token" = ["operate"])),
    params(ReasonQuery),
    responses((status = 200, description = "Claims are stopped", body = Paused), Failures)
)]
pub(crate) async fn pause_queue(
    State(api): State<Api>,
    caller: Caller,
    Params(reason): Params<ReasonQuery>,
) -> Result<Json<Paused>, Problem> {
    caller.may(Right::Control)?;
    let actor = caller.actor(reason.why.as_deref())?;
    Ok(Json(Paused { paused: true, changed: api.inspector.pause(&actor).await? }))
}

/// Lets claims go on, and lets refused providers be asked anew.
#[utoipa::path(
    post, path = "/v1/queue/resume", tag = "queue", security(("token" = ["operate"])),
    params(ReasonQuery),
    responses((status = 200, description = "Claims go on", body = Paused), Failures)
)]
pub(crate) async fn resume_queue(
    State(api): State<Api>,
    caller: Caller,
    Params(reason): Params<ReasonQuery>,
) -> Result<Json<Paused>, Problem> {
    caller.may(Right::Control)?;
    let actor = caller.actor(reason.why.as_deref())?;
    Ok(Json(Paused { paused: false, changed: api.inspector.resume(&actor).await? }))
}

/// Who works on the queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct Workers {
    /// The processes that have signed on and not off.
    workers: Vec<WorkerSeen>,
}

/// Lists the workers that have signed on and not off.
#[utoipa::path(
    get, path = "/v1/workers", tag = "queue", security(("token" = ["enqueue", "read", "operate"])),
    responses((status = 200, description = "The workers", body = Workers), Failures)
)]
pub(crate) async fn list_workers(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Workers>, Problem> {
    caller.may(Right::Read)?;
    Ok(Json(Workers { workers: api.inspector.workers().await? }))
}
