//! `GET /v1/jobs/{id}/transcript`: a job goes in, its words come out.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::problem::{Code, Problem};
use crate::state::Api;

/// Reads the words of a job, as far as they are written; private, so that nobody keeps them.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/transcript", tag = "jobs", security(("token" = ["enqueue"])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, description = "The words", content_type = "text/plain", body = String),
        Failures
    )
)]
pub(crate) async fn read_transcript(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Right::Content)?;
    api.record(&caller, &id).await?;
    let words = api.inspector.transcript(&id).await?;
    let words =
        words.ok_or_else(|| Problem::new(Code::NoTranscript, Code::NoTranscript.title()))?;
    let headers =
        [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "private, no-store")];
    Ok((headers, words).into_response())
}
