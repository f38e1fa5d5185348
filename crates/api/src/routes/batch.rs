//! `POST /v1/jobs:batch`: many requests go in, one result a request comes out, in order.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stillcast_enqueue::{EnqueueError, Enqueued, Job};
use utoipa::ToSchema;

use super::enqueue::of_tenant;
use super::schema::{Accepted, Failures, JobRequest};
use crate::caller::{Caller, Right};
use crate::extract::{JsonBody, check_length};
use crate::problem::{FieldProblem, Problem};
use crate::state::Api;

/// Most jobs of one call.
const MOST: usize = 500;

/// Requests, at most 500.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Batch<'body> {
    /// The requests; each should have an idempotency key of its own.
    #[serde(borrow)]
    #[schema(value_type = Vec<JobRequest>, min_items = 1, max_items = 500)]
    jobs: Vec<&'body RawValue>,
}

/// What became of each, in order.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchResults {
    /// One result a request.
    results: Vec<BatchResult>,
}

/// What became of one request.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum BatchResult {
    /// The job stands.
    Accepted(Box<Accepted>),
    /// Nothing was written of it; the others stand all the same.
    Refused(Refusal),
}

/// Why a request of a batch was refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refusal {
    /// The word of the problem, as in `/problems/{code}`.
    pub(crate) code: &'static str,
    /// What happened to this request.
    pub(crate) detail: String,
    /// Whether the same request may succeed later.
    pub(crate) retryable: bool,
    /// What is wrong with its fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldProblem>,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let Problem { code, detail, errors, .. } = problem;
        Self { code: code.as_str(), detail, retryable: code.is_retryable(), errors }
    }
}

/// Brings many jobs in, at most 500.
///
/// Each has a result of its own: one that is refused, or a queue that fills up on the way, hides no
/// other.
#[utoipa::path(
    post, path = "/v1/jobs:batch", tag = "jobs", security(("token" = ["enqueue"])),
    request_body = inline(Batch),
    responses((status = 200, description = "What became of each", body = BatchResults), Failures)
)]
pub(crate) async fn enqueue_jobs(
    State(api): State<Api>,
    caller: Caller,
    body: JsonBody,
) -> Result<Json<BatchResults>, Problem> {
    caller.may(Right::Enqueue)?;
    let batch: Batch<'_> = body.read("{\"jobs\": [requests]}")?;
    check_length("/jobs", batch.jobs.len(), MOST, "requests")?;
    let read: Vec<Result<Job, Problem>> = batch
        .jobs
        .iter()
        .map(|json| of_tenant(Job::from_json(json.get().as_bytes())?, &caller))
        .collect();
    let jobs: Vec<Job> = read.iter().filter_map(|job| job.as_ref().ok().cloned()).collect();
    let sent = api.producer.enqueue_many(&jobs).await;
    Ok(Json(BatchResults { results: in_order(read, sent) }))
}

/// The results of all, where only those that could be read were `sent`.
fn in_order(
    read: Vec<Result<Job, Problem>>,
    sent: Vec<Result<Enqueued, EnqueueError>>,
) -> Vec<BatchResult> {
    let mut sent = sent.into_iter();
    let mut result = |read: Result<Job, Problem>| -> Result<Accepted, Problem> {
        read?;
        Ok(sent.next().expect("one answer a job")?.into())
    };
    let told = |result: Result<Accepted, Problem>| match result {
        Ok(accepted) => BatchResult::Accepted(accepted.into()),
        Err(problem) => BatchResult::Refused(problem.into()),
    };
    read.into_iter().map(|job| told(result(job))).collect()
}
