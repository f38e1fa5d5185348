//! `GET /v1/jobs`: a state or a filter, and a place go in; a page of records comes out.

use ::queue::{Cursor, MAX_PAGE};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde::Deserialize;
use stillcast_enqueue::{JobRecord, State as JobState};
use utoipa::IntoParams;

use super::schema::{Failures, JobList, Search};
use crate::caller::{Caller, Right};
use crate::extract::Params;
use crate::facts::{Facts, Words};
use crate::filter::Filter;
use crate::mirror::Place;
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
    /// Only jobs that this means, from the newest: terms such as `state:dead,expired`,
    /// `code:speech-*`, `-tenant:acme`, `age>5m`, `priority>=7`, `meta.show="evening walk"`; all of
    /// them must hold.
    #[param(max_length = 4096, example = "state:dead code:speech-* age<2h")]
    filter: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<usize>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// Lists jobs: waiting ones in the order of their turn, ended ones from the newest.
///
/// With a `filter`, the newest first, out of what this server keeps of each job to be searched; it
/// says how many there are in all, and how fresh that is. A page may hold fewer jobs than asked for; only a `next` of null says that there are no more.
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
    let ListQuery { state, filter, limit, cursor } = query;
    match filter {
        None => list(&api, &caller, state, limit, cursor.as_deref()).await,
        Some(text) => {
            let filter = read_filter("?filter", &text)?.of_tenant(caller.tenant.as_ref());
            let filter = if state.is_some() { filter.in_states(state) } else { filter };
            search(&api, &filter, &text, limit, cursor.as_deref()).await
        }
    }
}

/// The filter at `pointer` of a request.
pub(crate) fn read_filter(pointer: &str, text: &str) -> Result<Filter, Problem> {
    Filter::parse(text).map_err(|fault| {
        let (at, takes) = (fault.at, fault.takes);
        Problem::of_field(pointer, format!("takes {takes} at character {at}"))
    })
}

async fn search(
    api: &Api,
    filter: &Filter,
    text: &str,
    limit: Option<usize>,
    cursor: Option<&str>,
) -> Result<Response, Problem> {
    let limit = checked(limit)?;
    Ok(answer(find(api, filter, limit, cursor).await?, &[("filter", text)], limit))
}

/// A page of the jobs that `filter` means, in whose text the caller's tenant stands.
pub(crate) async fn find(
    api: &Api,
    filter: &Filter,
    limit: usize,
    cursor: Option<&str>,
) -> Result<JobList, Problem> {
    let listing = format!("filter {filter}");
    let after: Option<Place> = cursor.map(|text| api.cursors.read(text, &listing)).transpose()?;
    let found = api.mirror.find(filter, after.as_ref(), limit).await?;
    let ids: Vec<&str> = found.page.iter().map(|place| &*place.id).collect();
    let (now_ms, mut words) = (Utc::now().timestamp_millis(), Words::default());
    let records = api.inspector.records(&ids).await?.into_iter().flatten();
    // A job may have moved on since the mirror has seen it.
    let jobs = records.filter(|job| filter.matches(&Facts::of(job, &mut words), now_ms)).collect();
    let last = found.page.last().filter(|_| found.page.len() == limit);
    let next = last.map(|place| api.cursors.sign(place, &listing));
    let search = Some(Search::of(&found));
    Ok(JobList { jobs, next, search })
}

/// The number of jobs on a page.
fn checked(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(DEFAULT);
    if (1..=MAX_PAGE).contains(&limit) {
        return Ok(limit);
    }
    let takes = format!("takes a whole number from 1 to {MAX_PAGE}, got {limit}");
    Err(Problem::of_field("?limit", takes))
}

/// A page of the jobs in `state` that the caller may know of.
pub(super) async fn list(
    api: &Api,
    caller: &Caller,
    state: Option<JobState>,
    limit: Option<usize>,
    cursor: Option<&str>,
) -> Result<Response, Problem> {
    let limit = checked(limit)?;
    let word = state.map_or("any", JobState::as_str);
    let tenant = caller.tenant.as_ref().map_or("*", |tenant| tenant.as_str());
    let filter = format!("{word} {tenant}");
    let cursor = cursor.map(|text| api.cursors.read(text, &filter)).transpose()?;
    let (jobs, next) = seen_by(api, caller, state, limit, cursor).await?;
    let next = next.map(|cursor| api.cursors.sign(&cursor, &filter));
    let words: Vec<(&str, &str)> = state.iter().map(|state| ("state", state.as_str())).collect();
    Ok(answer(JobList { jobs, next, search: None }, &words, limit))
}

/// A page of the jobs in `state` that the caller may know of, and the place behind it.
pub(crate) async fn seen_by(
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

/// The page, and the address of the next one: `words` are what the query says beside place and number.
fn answer(list: JobList, words: &[(&str, &str)], limit: usize) -> Response {
    let link = list.next.as_ref().map(|next| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("cursor", next).append_pair("limit", &limit.to_string());
        format!("</v1/jobs?{}>; rel=\"next\"", query.extend_pairs(words).finish())
    });
    let mut response = Json(list).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(LINK, link);
    }
    response
}
