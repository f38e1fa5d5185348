//! `GET /v1/jobs/{id}/live/…`: a job that is being made goes in, what there is to be heard of it comes out.

use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use providers::store::{LIVE_LIST_TYPE, LIVE_TYPE, LiveSound};
use stillcast_enqueue::JobRecord;

use super::artifact::serve;
use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::problem::{Code, Problem};
use crate::state::Api;

/// Reads the playlist of a sound that is being made, for a player of HLS: it grows until the sound is whole,
/// or its job has ended otherwise.
///
/// Only of a job whose request says `live`. Before the first sound there is none.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/live/index.m3u8", tag = "jobs", security(("token" = ["enqueue"])),
    params(("id" = String, Path, description = "The job")),
    responses(
        (status = 200, description = "The playlist", content_type = "application/vnd.apple.mpegurl", body = String),
        Failures
    )
)]
pub(crate) async fn list_live(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Right::Content)?;
    let record = api.record(&caller, &id).await?;
    // Read before the parts are: whatever comes behind an end is not heard.
    let has_ended = record.state.is_terminal();
    let list = live(&record)?.list(&**api.store()?, has_ended).await;
    let list = list.map_err(|error| Problem::of_store(error.code, &error))?;
    let list = list.ok_or_else(|| nothing(&record))?;
    let headers = [(CONTENT_TYPE, LIVE_LIST_TYPE), (CACHE_CONTROL, "private, no-store")];
    Ok((headers, list).into_response())
}

/// Fetches a part of it, as its playlist names it, as the artifact is fetched.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/live/{making}/{part}", tag = "jobs",
    security(("token" = ["enqueue"])),
    params(
        ("id" = String, Path, description = "The job"),
        ("making" = String, Path, description = "Another one for each time that it is made anew"),
        ("part" = String, Path, description = "The part's name"),
    ),
    responses(
        (status = 200, description = "The part", content_type = "audio/mp4", body = Vec<u8>),
        (status = 206, description = "A range of it"),
        (status = 304, description = "The caller has it"),
        (status = 307, description = "It lies at `Location`"),
        (status = 416, description = "The part has no such range"),
        Failures
    )
)]
pub(crate) async fn fetch_live(
    State(api): State<Api>,
    caller: Caller,
    Path((id, making, part)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Right::Content)?;
    let record = api.record(&caller, &id).await?;
    let key = live(&record)?.part(&making, &part).ok_or_else(|| nothing(&record))?;
    serve(&api, (&key, LIVE_TYPE), &format!("{id}.{part}"), request).await
}

fn live(record: &JobRecord) -> Result<LiveSound, Problem> {
    record.live.as_deref().and_then(LiveSound::of).ok_or_else(|| nothing(record))
}

fn nothing(record: &JobRecord) -> Problem {
    let JobRecord { id, state, .. } = record;
    Problem::new(Code::NotHeard, format!("the job {id} is {state}, and nothing of it can be heard"))
}
