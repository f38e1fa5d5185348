//! `POST /v1/jobs`: a request goes in, a job's identifier comes out; with a wait, its record.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use stillcast_enqueue::{Identifier, Job, TraceParent};
use utoipa::IntoParams;

use super::schema::{Accepted, Failures, JobRequest};
use crate::caller::{Caller, Right};
use crate::extract::{JsonBody, Params};
use crate::preference::Wait;
use crate::problem::{Code, FieldProblem, Problem};
use crate::state::Api;

/// The tenant of a request that names none.
const NOBODY_S: &str = "default";

/// How long to wait.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WaitQuery {
    /// Seconds to wait for the job's end; 0 answers at once.
    #[param(minimum = 0, maximum = 60)]
    pub(crate) wait: Option<u64>,
}

/// Brings a job in.
///
/// With an idempotency key the call may be repeated, whatever became of the first try: it stays one
/// job, and `Idempotent-Replayed: true` says so. With `wait`, or `Prefer: wait=30`, it answers once the
/// job has ended, or when the time is over.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs", security(("token" = ["enqueue"])),
    params(
        WaitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "The job's idempotency key"),
        ("Prefer" = Option<String>, Header, description = "`wait=30`, as the query's `wait`"),
    ),
    request_body = JobRequest,
    responses(
        (status = 202, description = "The job stands", body = Accepted),
        (status = 200, description = "The job has ended meanwhile", body = Accepted),
        Failures
    )
)]
pub(crate) async fn enqueue_job(
    State(api): State<Api>,
    caller: Caller,
    Params(query): Params<WaitQuery>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    caller.may(Right::Enqueue)?;
    let wait = Wait::of(query.wait, &headers)?;
    let job = with_headers(Job::from_json(&body)?, &headers)?;
    let job = of_tenant(job, &caller)?;
    let mut accepted = send(&api, &job).await?;
    if let Some(limit) = wait.limit {
        let ended = api.hub.watch(&accepted.id).until(limit, |record| record.state.is_terminal());
        accepted.job = ended.await.map(|record| (*record).clone());
        accepted.state = accepted.job.as_ref().map_or(accepted.state, |job| job.state);
    }
    let is_replayed = accepted.duplicate && job.idempotency_key.is_some();
    Ok(answer(&accepted, is_replayed, wait))
}

async fn send(api: &Api, job: &Job) -> Result<Accepted, Problem> {
    let _on_its_way = match &job.idempotency_key {
        None => None,
        Some(key) => Some(
            api.in_flight
                .enter(&job.tenant, key)
                .ok_or_else(|| Problem::new(Code::KeyInFlight, Code::KeyInFlight.title()))?,
        ),
    };
    Ok(api.producer.enqueue(job).await?.into())
}

/// The key and the trace may stand in headers, where clients put them for any API.
fn with_headers(job: Job, headers: &HeaderMap) -> Result<Job, Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let given = text("idempotency-key").map(|key| {
        // The draft has it as a string in quotes, and most clients as it is.
        let key = key.trim().trim_matches('"');
        Identifier::parse("Idempotency-Key", key).map_err(|fault| {
            Problem::of_field("Idempotency-Key", FieldProblem::from(&fault).detail)
        })
    });
    let given = given.transpose()?.map(String::from);
    if let (Some(given), Some(key)) = (&given, &job.idempotency_key)
        && given != key
    {
        return Err(Problem::of_field("Idempotency-Key", "is another one than `idempotency_key`"));
    }
    // A trace that cannot be read is left out, as its recommendation has it.
    let trace = text("traceparent").and_then(|text| TraceParent::parse(text).ok());
    Ok(Job {
        idempotency_key: given.or(job.idempotency_key),
        traceparent: job.traceparent.or(trace),
        ..job
    })
}

/// A token of one tenant brings in jobs of that tenant alone.
pub(super) fn of_tenant(job: Job, caller: &Caller) -> Result<Job, Problem> {
    match &caller.tenant {
        None => Ok(job),
        Some(own) if job.tenant == NOBODY_S || job.tenant == own.as_str() => {
            Ok(Job { tenant: own.to_string(), ..job })
        }
        Some(_) => Err(Problem::new(Code::TenantRefused, Code::TenantRefused.title())),
    }
}

fn answer(accepted: &Accepted, is_replayed: bool, wait: Wait) -> Response {
    let status = if accepted.state.is_terminal() && accepted.job.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let mut response = (status, Json(accepted)).into_response();
    let headers = response.headers_mut();
    if let Ok(place) = HeaderValue::try_from(format!("/v1/jobs/{}", accepted.id)) {
        headers.insert(LOCATION, place);
    }
    if is_replayed {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    wait.tell(headers);
    response
}
