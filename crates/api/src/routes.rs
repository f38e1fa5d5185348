//! Every path that is answered, one file a subject.
#![expect(unused_qualifications, reason = "the description's macros write them")]

mod artifact;
mod audit;
mod batch;
mod conditional;
mod dead;
mod enqueue;
mod events;
mod health;
mod job;
mod jobs;
mod metrics;
mod problems;
mod queue;
mod schema;
mod transcript;

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use crate::middleware::{authenticate, limit_time, render};
use crate::openapi::Description;
use crate::problem::{Code, Problem};
use crate::state::Api;

/// Longest body: a text of 16 KiB, each character escaped, and what stands around it.
const MAX_BODY: usize = 128 << 10;
/// Longest body of a batch: 500 texts of 16 KiB, and as much again.
const MAX_BATCH: usize = 16 << 20;

/// What is answered with a token only.
fn guarded() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(enqueue::enqueue_job, jobs::list_jobs))
        .routes(routes!(batch::enqueue_jobs).layer(DefaultBodyLimit::max(MAX_BATCH)))
        .routes(routes!(job::show_job, job::purge_job))
        .routes(routes!(job::cancel_job))
        .routes(routes!(job::replay_job))
        .routes(routes!(events::follow_job))
        .routes(routes!(artifact::fetch_artifact))
        .routes(routes!(transcript::read_transcript))
        .routes(routes!(queue::show_queue))
        .routes(routes!(queue::show_history))
        .routes(routes!(queue::pause_queue))
        .routes(routes!(queue::resume_queue))
        .routes(routes!(queue::list_workers))
        .routes(routes!(audit::list_audit))
        .routes(routes!(dead::list_dead))
        .routes(routes!(dead::replay_dead))
        .routes(routes!(metrics::scrape))
}

/// What anybody may ask who reaches the server.
fn open() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(health::is_live))
        .routes(routes!(health::is_ready))
        .routes(routes!(problems::explain_problem))
        .routes(routes!(problems::describe_api))
}

/// All of it, with its description.
fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Description::openapi()).merge(guarded()).merge(open())
}

/// The description of the API in `OpenAPI` 3.1, the same as `GET /openapi.json` answers.
pub fn document() -> String {
    let (_, description) = described().split_for_parts();
    description.to_pretty_json().expect("a description is plain data")
}

/// All of it, ready to be served.
pub(crate) fn router(api: Api) -> Router {
    let (guarded, _) = guarded().split_for_parts();
    let (open, _) = open().split_for_parts();
    let guard = middleware::from_fn_with_state(api.clone(), authenticate);
    guarded
        .route_layer(guard)
        .merge(open)
        .fallback(async || Problem::new(Code::UnknownPath, Code::UnknownPath.title()))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(Code::Internal, Code::Internal.title()).into_response()
        }))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn(render))
        .with_state(api)
}
