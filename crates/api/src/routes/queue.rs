//! `/v1/queue` and `/v1/workers`: the queue as a whole is shown, paused and resumed.

use std::time::Duration;

use ::queue::{History, QueueStats, WorkerSeen};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::audit::ReasonQuery;
use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::problem::{Code, Problem};
use crate::state::Api;

/// What a token of one tenant is told.
const OF_ALL: &str = "the history is counted over all tenants, money too: ask with a token for all";
/// Hours of the history when the query names none, and at most.
const DEFAULT_HOURS: u64 = 6;
const MOST_HOURS: u64 = 720;

/// Shows one consistent look at the queue, at constant cost, and when it is likely to be empty.
#[utoipa::path(
    get, path = "/v1/queue", tag = "queue", security(("token" = ["enqueue", "read", "operate"])),
    responses((status = 200, description = "The numbers of this moment", body = QueueStats), Failures)
)]
pub(crate) async fn show_queue(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<QueueStats>, Problem> {
    caller.may(Right::Read)?;
    let stats = api.inspector.stats().await?;
    Ok(Json(api.inspector.forecast(stats).await?))
}

/// How far back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// So many hours: up to 6 by the minute, up to 72 by the quarter, beyond by two hours.
    #[param(minimum = 1, maximum = 720, default = 6)]
    hours: Option<u64>,
}

/// Shows what the queue did in the last hours or days, as far as its workers have told.
///
/// Statistics: a worker that is killed takes up to ten seconds of them along. The money of each job
/// stands in its record.
#[utoipa::path(
    get, path = "/v1/queue/history", tag = "queue",
    security(("token" = ["enqueue", "read", "operate"])), params(HistoryQuery),
    responses((status = 200, description = "The series, and its sum", body = History), Failures)
)]
pub(crate) async fn show_history(
    State(api): State<Api>,
    caller: Caller,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<History>, Problem> {
    caller.may(Right::Read)?;
    if caller.tenant.is_some() {
        return Err(Problem::new(Code::TenantRefused, OF_ALL));
    }
    let hours = query.hours.unwrap_or(DEFAULT_HOURS);
    if !(1..=MOST_HOURS).contains(&hours) {
        let takes = format!("takes a whole number from 1 to {MOST_HOURS}, got {hours}");
        return Err(Problem::of_field("?hours", takes));
    }
    Ok(Json(api.inspector.history(Duration::from_hours(hours)).await?))
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
