//! `/v1/jobs/{id}`: one job is shown, cancelled or removed.

use std::sync::Arc;

use ::queue::PurgeAnswer;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use stillcast_enqueue::{CancelAnswer, JobRecord};
use utoipa::ToSchema;

use super::audit::ReasonQuery;
use super::conditional;
use super::enqueue::WaitQuery;
use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::preference::Wait;
use crate::problem::{Code, Problem};
use crate::state::Api;
use crate::store_files::StoredFiles;

/// Shows a job's record; it holds no private text.
///
/// With `If-None-Match` a record that the caller has is answered with 304. With `wait`, it is answered
/// once the job has ended; with both, once it is another one than the caller has. `waiting` says why the
/// job does not run, at this moment: the `ETag` does not speak of it.
#[utoipa::path(
    get, path = "/v1/jobs/{id}", tag = "jobs", security(("token" = ["enqueue", "read", "operate"])),
    params(
        ("id" = String, Path, description = "The job"), WaitQuery,
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the record at hand"),
        ("Prefer" = Option<String>, Header, description = "`wait=30`, as the query's `wait`"),
    ),
    responses(
        (status = 200, description = "The record", body = JobRecord),
        (status = 304, description = "The caller has it"),
        Failures
    )
)]
pub(crate) async fn show_job(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Params(query): Params<WaitQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may(Right::Read)?;
    let wait = Wait::of(query.wait, &headers)?;
    let mut record = Arc::new(api.record(&caller, &id).await?);
    if let Some(limit) = wait.limit {
        let has = headers.contains_key("if-none-match");
        let is_over = |record: &JobRecord| {
            let is_other = has && !conditional::has(&headers, &conditional::etag(record));
            is_other || record.state.is_terminal()
        };
        let seen = api.hub.watch(&id).until(limit, is_over).await;
        record = seen.ok_or_else(|| Problem::unknown_job(&id))?;
    }
    let explained = api.inspector.explain(JobRecord::clone(&record)).await?;
    let mut response = conditional::answer(&record, &explained, &headers);
    wait.tell(response.headers_mut());
    Ok(response)
}

/// What became of a job.
#[derive(Serialize, ToSchema)]
pub(crate) struct Done {
    /// The job.
    id: String,
    /// `cancelled`, `cancelling`, `ready`, `due` or `purged`.
    answer: &'static str,
}

pub(super) fn done(id: String, answer: &'static str) -> Json<Done> {
    Json(Done { id, answer })
}

/// Ends a job: at once while it waits, by its worker while it runs. Repeating it is harmless.
#[utoipa::path(
    post, path = "/v1/jobs/{id}/cancel", tag = "jobs", security(("token" = ["enqueue", "operate"])),
    params(("id" = String, Path, description = "The job"), ReasonQuery),
    responses(
        (status = 200, description = "It is cancelled", body = Done),
        (status = 202, description = "Its worker is ending it", body = Done),
        Failures
    )
)]
pub(crate) async fn cancel_job(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Params(reason): Params<ReasonQuery>,
) -> Result<(StatusCode, Json<Done>), Problem> {
    caller.may(Right::Cancel)?;
    let actor = caller.actor(reason.why.as_deref())?;
    api.record(&caller, &id).await?;
    match api.inspector.cancel(&id, &actor).await? {
        CancelAnswer::Cancelled => Ok((StatusCode::OK, done(id, "cancelled"))),
        CancelAnswer::Cancelling => Ok((StatusCode::ACCEPTED, done(id, "cancelling"))),
        CancelAnswer::Already(stillcast_enqueue::State::Cancelled) => {
            Ok((StatusCode::OK, done(id, "cancelled")))
        }
        CancelAnswer::Already(state) => {
            Err(Problem::new(Code::AlreadyEnded, format!("the job {id} is {state}")))
        }
        CancelAnswer::Unknown => Err(Problem::unknown_job(&id)),
    }
}

/// Removes an ended job: its files, its words, its record.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}", tag = "jobs", security(("token" = ["operate"])),
    params(("id" = String, Path, description = "The job"), ReasonQuery),
    responses((status = 200, description = "It is gone", body = Done), Failures)
)]
pub(crate) async fn purge_job(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    Params(reason): Params<ReasonQuery>,
) -> Result<Json<Done>, Problem> {
    caller.may(Right::Mend)?;
    let actor = caller.actor(reason.why.as_deref())?;
    let tenant = api.record(&caller, &id).await?.tenant;
    let files = StoredFiles(Arc::clone(api.store()?));
    match ::queue::purge(&api.inspector, &files, &id, Some(&tenant), &actor).await? {
        PurgeAnswer::Purged => Ok(done(id, "purged")),
        PurgeAnswer::NotEnded(state) => {
            Err(Problem::new(Code::NotEnded, format!("the job {id} is {state}")))
        }
        PurgeAnswer::Unknown => Err(Problem::unknown_job(&id)),
    }
}
