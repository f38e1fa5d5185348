//! `GET /v1/jobs/{id}/extras/{name}`: a job goes in, a file beside its artifact comes out.

use axum::extract::{Path, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use providers::store::read;

use super::artifact::serve;
use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::problem::{Code, Problem};
use crate::state::Api;

/// Fetches a file beside the finished one: `captions.vtt`, `captions.srt`, `chapters.txt`, of a video
/// `poster.jpg` and `cover.jpg`, and where they were asked for `voice.m4a` and `bed.m4a`.
///
/// The record's `extras` name those that there are. Text and pictures are answered here wherever they lie, since a player
/// takes captions only from where its page comes from; sound as the artifact is.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/extras/{name}", tag = "jobs", security(("token" = ["enqueue"])),
    params(
        ("id" = String, Path, description = "The job"),
        ("name" = String, Path, description = "The file's name among the record's `extras`")
    ),
    responses(
        (status = 200, description = "The file", content_type = "text/vtt", body = String),
        Failures
    )
)]
pub(crate) async fn fetch_extra(
    State(api): State<Api>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Right::Content)?;
    let record = api.record(&caller, &id).await?;
    if record.artifact.is_none() {
        let state = record.state;
        let message = format!("the job {id} is {state}, and has no file");
        return Err(Problem::new(Code::NoArtifact, message));
    }
    let extra = record.extras.get(&name);
    let extra = extra.ok_or_else(|| Problem::new(Code::NoExtra, Code::NoExtra.title()))?;
    if extra.content_type.starts_with("audio/") {
        let file = (extra.key.as_str(), extra.content_type.as_str());
        return serve(&api, file, &format!("{id}.{name}"), request).await;
    }
    let store = api.store()?;
    let found = read(&**store, &extra.key).await;
    let bytes = found.map_err(|error| Problem::of_store(error.code, &error))?;
    let bytes =
        bytes.ok_or_else(|| Problem::new(Code::ArtifactGone, Code::ArtifactGone.title()))?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::try_from(&extra.content_type);
    headers.insert(CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("text/plain")));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, immutable"));
    if let Ok(saved) = HeaderValue::try_from(format!("inline; filename=\"{id}.{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, saved);
    }
    Ok(response)
}
