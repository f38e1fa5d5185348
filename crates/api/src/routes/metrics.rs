//! `GET /metrics`: the numbers of the queue as a whole, in `OpenMetrics` text.
//!
//! They are the queue's, not this process': every replica shows the same, so that whoever asks takes
//! the maximum over replicas, never their sum. What a worker does, it tells itself.

use ::queue::QueueStats;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use stillcast_enqueue::State as JobState;
use telemetry::Depth;

use super::schema::Failures;
use crate::caller::{Caller, Right};
use crate::problem::Problem;
use crate::state::Api;

/// Shows the queue's numbers for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "server", security(("token" = ["enqueue", "read", "operate"])),
    responses(
        (status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"),
        Failures
    )
)]
pub(crate) async fn scrape(State(api): State<Api>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Right::Read)?;
    let stats = api.inspector.stats().await?;
    let page = page(&stats, [api.hub.len(), api.mirror.len()]);
    Ok(([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], page).into_response())
}

fn page(stats: &QueueStats, [watched, searched]: [usize; 2]) -> String {
    let gauges = [
        ("solo_jobs", "Ready jobs that must run alone", stats.solo),
        ("due_delayed_jobs", "Delayed jobs whose time has come", stats.due_delayed),
        ("due_parked_jobs", "Parked jobs whose time has come", stats.due_parked),
        ("workers", "Workers that have signed on and not off", stats.workers),
        ("trash_folders", "Work folders that wait for the janitor", stats.trash),
        ("paused", "1 while claims are stopped", stats.paused.into()),
        ("watched_jobs", "Jobs that somebody follows at this server", watched as u64),
        ("searched_jobs", "Jobs that a filter looks at, at this server", searched as u64),
    ];
    let counters = [
        ("enqueued_jobs", "Jobs ever accepted", stats.enqueued),
        ("purged_jobs", "Records ever removed", stats.purged),
    ];
    let depth = Depth {
        jobs: &JobState::ALL.map(|state| (state.as_str(), stats.states.of(state))),
        oldest_ready_age_s: stats.oldest_s.unwrap_or(0.0),
        gauges: &gauges,
        counters: &counters,
    };
    depth.encode()
}
