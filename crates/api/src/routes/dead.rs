//! `/v1/dead`: the jobs that will not run again by themselves are listed, or sent round again.

use ::queue::Remake;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use stillcast_enqueue::State as JobState;
use utoipa::{IntoParams, ToSchema};

use super::audit::ReasonQuery;
use super::batch::Refusal;
use super::jobs::list;
use super::replay::replay;
use super::schema::{Failures, JobList};
use crate::caller::{Caller, Right};
use crate::extract::{JsonBody, Params, check_length};
use crate::problem::Problem;
use crate::state::Api;

/// Most jobs of one call.
const MOST: usize = 500;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadQuery {
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Lists dead jobs with their errors, the newest first.
#[utoipa::path(
    get, path = "/v1/dead", tag = "queue", security(("token" = ["enqueue", "read", "operate"])),
    params(DeadQuery),
    responses((status = 200, description = "A page", body = JobList), Failures)
)]
pub(crate) async fn list_dead(
    State(api): State<Api>,
    caller: Caller,
    Params(query): Params<DeadQuery>,
) -> Result<Response, Problem> {
    caller.may(Right::Read)?;
    list(&api, &caller, Some(JobState::Dead), query.limit, query.cursor.as_deref()).await
}

/// Which dead jobs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selection {
    /// Their identifiers.
    #[schema(min_items = 1, max_items = 500)]
    ids: Vec<String>,
}

/// What became of each.
#[derive(Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// Those that are ready again.
    granted: Vec<String>,
    /// Those that are not, and why.
    refused: Vec<RefusedJob>,
}

/// A job that was not replayed.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedJob {
    /// The job.
    id: String,
    /// Why.
    #[serde(flatten)]
    refusal: Refusal,
}

/// Sends dead jobs round again, at most 500; their finished work is kept.
#[utoipa::path(
    post, path = "/v1/dead/replay", tag = "queue", security(("token" = ["operate"])),
    params(ReasonQuery),
    request_body = Selection,
    responses((status = 200, description = "What became of each", body = Replayed), Failures)
)]
pub(crate) async fn replay_dead(
    State(api): State<Api>,
    caller: Caller,
    Params(reason): Params<ReasonQuery>,
    body: JsonBody,
) -> Result<Json<Replayed>, Problem> {
    caller.may(Right::Mend)?;
    let actor = caller.actor(reason.why.as_deref())?;
    let Selection { ids } = body.read("{\"ids\": [texts]}")?;
    check_length("/ids", ids.len(), MOST, "identifiers")?;
    let (mut granted, mut refused) = (Vec::new(), Vec::new());
    for id in ids {
        match replay(&api, &caller, &id, &Remake::default(), &actor).await {
            Ok(()) => granted.push(id),
            Err(problem) => refused.push(RefusedJob { id, refusal: problem.into() }),
        }
    }
    Ok(Json(Replayed { granted, refused }))
}
