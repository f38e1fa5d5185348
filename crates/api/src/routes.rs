//! Every path that is answered, one file a subject.
#![expect(unused_qualifications, reason = "the description's macros write them")]

mod artifact;
mod audit;
mod batch;
mod bulk;
mod conditional;
mod dead;
mod enqueue;
mod events;
mod extra;
mod feed;
mod health;
mod job;
mod jobs;
mod live;
mod metrics;
mod problems;
mod queue;
mod replay;
mod schema;
mod transcript;
mod webhook;

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

pub(crate) use self::artifact::fetch_artifact;
pub(crate) use self::audit::{ReasonQuery, audit_seen_by};
pub(crate) use self::bulk::{begin_planned, bulk_seen_by, plan, right, stop_bulk};
pub(crate) use self::extra::fetch_extra;
pub(crate) use self::job::{cancel_job, purge_job};
pub(crate) use self::jobs::{find, read_filter, seen_by};
pub(crate) use self::queue::{pause_queue, resume_queue};
pub(crate) use self::replay::replay;
pub(crate) use self::schema::{JobList, Search};
pub(crate) use self::webhook::resend_webhook;
use crate::middleware::{authenticate, limit_time, render};
use crate::openapi::Description;
use crate::page;
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
        .routes(routes!(bulk::plan_or_begin))
        .routes(routes!(bulk::list_bulks))
        .routes(routes!(bulk::show_bulk))
        .routes(routes!(bulk::stop_bulk))
        .routes(routes!(job::show_job, job::purge_job))
        .routes(routes!(job::cancel_job))
        .routes(routes!(replay::replay_job))
        .routes(routes!(webhook::resend_webhook))
        .routes(routes!(events::follow_job))
        .routes(routes!(artifact::fetch_artifact))
        .routes(routes!(extra::fetch_extra))
        .routes(routes!(feed::read_feed))
        .routes(routes!(live::list_live))
        .routes(routes!(live::fetch_live))
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
    let pages = page::router(&api);
    bounded(guarded.route_layer(guard).merge(open).merge(pages)).with_state(api)
}

/// Whatever becomes of a request, it ends in time, and a failure is a problem.
fn bounded<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .fallback(async || Problem::new(Code::UnknownPath, Code::UnknownPath.title()))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(Code::Internal, Code::Internal.title()).into_response()
        }))
        .layer(middleware::from_fn(limit_time))
        .layer(middleware::from_fn(render))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::routing::{get, post};
    use tower::ServiceExt;

    use super::*;
    use crate::extract::JsonBody;

    /// The answer of a route, as a problem.
    async fn problem(route: &str, body: Body) -> serde_json::Value {
        let panics = async || -> String { panic!("Marzipanturm") };
        let reads = async |JsonBody(_): JsonBody| "read";
        let routes = Router::new().route("/panics", get(panics)).route("/reads", post(reads));
        let method = if route == "/reads" { "POST" } else { "GET" };
        let request = Request::builder().method(method).uri(route);
        let request = request.header("content-type", "application/json").body(body).unwrap();
        let answer = bounded(routes).oneshot(request).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let text = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        assert!(!String::from_utf8_lossy(&text).contains("Marzipanturm"), "{text:?}");
        serde_json::from_slice(&text).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_says_nothing_of_it() {
        let told = problem("/panics", Body::empty()).await;
        assert_eq!((&told["code"], &told["status"]), (&"internal".into(), &500.into()));
        assert!(told["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let never = futures::stream::pending::<Result<Vec<u8>, Infallible>>();
        let told = problem("/reads", Body::from_stream(never)).await;
        assert_eq!((&told["code"], &told["status"]), (&"timed-out".into(), &504.into()));
    }
}
