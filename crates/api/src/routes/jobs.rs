//! `GET /v1/jobs`: a state and a place go in, a page of records comes out.

use ::queue::{Cursor, MAX_PAGE};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use stillcast_enqueue::{JobRecord, State as JobState};
use utoipa::IntoParams;

use super::schema::{Failures, JobList};
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::problem::Problem;
use crate::state::Api;

/// Jobs of a page when the query names no number.
const DEFAULT: usize = 50;
/// Records that one request looks at: a token of one tenant passes over those of all others.
const LOOKED_AT: usize = 5_000;

/// Which jobs, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only jobs in this state.
    state: Option<JobState>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Lists jobs: waiting ones in the order of their turn, ended ones from the newest.
///
/// A page may hold fewer jobs than asked for; only a `next` of null says that there are no more.
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs", security(("token" = ["enqueue", "read", "operate"])),
    params(ListQuery),
    responses((status = 200, description = "A page", body = JobList), Failures)
)]
pub(crate) async fn list_jobs(
    State(api): State<Api>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    caller.may(Right::Read)?;
    let ListQuery { state, limit, cursor } = query;
    list(&api, &caller, state, limit, cursor.as_deref()).await
}

/// A page of the jobs in `state` that the caller may know of.
pub(super) async fn list(
    api: &Api,
    caller: &Caller,
    state: Option<JobState>,
    limit: Option<usize>,
    cursor: Option<&str>,
) -> Result<Response, Problem> {
    let limit = limit.unwrap_or(DEFAULT);
    if !(1..=MAX_PAGE).contains(&limit) {
        let takes = format!("takes a whole number from 1 to {MAX_PAGE}, got {limit}");
        return Err(Problem::of_field("?limit", takes));
    }
    let word = state.map_or("any", JobState::as_str);
    let tenant = caller.tenant.as_ref().map_or("*", |tenant| tenant.as_str());
    let filter = format!("{word} {tenant}");
    let cursor = cursor.map(|text| api.cursors.read(text, &filter)).transpose()?;
    let (jobs, next) = seen_by(api, caller, state, limit, cursor).await?;
    let next = next.map(|cursor| api.cursors.sign(&cursor, &filter));
    Ok(answer(JobList { jobs, next }, state, limit))
}

async fn seen_by(
    api: &Api,
    caller: &Caller,
    state: Option<JobState>,
    limit: usize,
    mut cursor: Option<Cursor>,
) -> Result<(Vec<JobRecord>, Option<Cursor>), Problem> {
    let (mut jobs, mut looked_at) = (Vec::new(), 0);
    loop {
        let missing = limit - jobs.len();
        let page = api.inspector.list(state, missing, cursor.as_ref()).await?;
        looked_at += missing;
        jobs.extend(page.jobs.into_iter().filter(|job| caller.sees(&job.tenant)));
        cursor = page.next;
        if cursor.is_none() || jobs.len() == limit || looked_at >= LOOKED_AT {
            return Ok((jobs, cursor));
        }
    }
}

fn answer(list: JobList, state: Option<JobState>, limit: usize) -> Response {
    let link = list.next.as_ref().map(|next| {
        let state = state.map_or_else(String::new, |state| format!("&state={state}"));
        format!("</v1/jobs?cursor={next}&limit={limit}{state}>; rel=\"next\"")
    });
    let mut response = Json(list).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    response
}
