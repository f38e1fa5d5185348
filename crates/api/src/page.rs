//! The pages for people: a request goes in, a page comes out that a server has drawn. It works without
//! any script; with one it stays as new as the queue.
//!
//! `access` finds out who looks, `shell` draws what stands around each page, one file a page the rest;
//! `lookout` is the one task that looks at the queue for all of them.

mod access;
mod actions;
mod alerts;
mod assets;
mod audit;
mod bulk;
mod chart;
mod cures;
mod dead;
mod job;
mod jobs;
mod live;
mod login;
mod lookout;
mod overview;
mod parked;
mod past;
mod queue_page;
mod remake;
mod rows;
mod search;
mod shell;
mod span;
mod stages;
mod waterfall;
mod words;

use axum::routing::{get, post};
use axum::{Router, middleware};

pub(crate) use self::assets::Assets;
pub(crate) use self::lookout::Lookout;
use crate::routes::{fetch_artifact, fetch_extra};
use crate::state::Api;

/// What anybody may see who reaches the server.
fn open() -> Router<Api> {
    Router::new()
        .route("/login", get(login::show_login).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/theme", post(login::choose_theme))
        .route("/assets/{name}", get(assets::fetch_asset))
}

/// What is for people with a session.
fn guarded() -> Router<Api> {
    Router::new()
        .route("/", get(overview::show_overview))
        .route("/jobs", get(jobs::list_jobs))
        .route("/jobs/{id}", get(job::show_job))
        .route("/jobs/{id}/artifact", get(fetch_artifact))
        .route("/jobs/{id}/extras/{name}", get(fetch_extra))
        .route("/jobs/{id}/cancel", post(actions::cancel))
        .route("/jobs/{id}/replay", post(actions::replay))
        .route("/jobs/{id}/purge", post(actions::purge))
        .route("/jobs/{id}/resend", post(actions::resend))
        .route("/dead", get(dead::list_dead))
        .route("/dead/replay", post(actions::replay_cause))
        .route("/stages", get(stages::show_stages))
        .route("/queue", get(queue_page::show_queue))
        .route("/queue/pause", post(actions::pause))
        .route("/queue/resume", post(actions::resume))
        .route("/bulk", get(bulk::show_plan).post(bulk::begin))
        .route("/bulk/{id}", get(bulk::show_bulk))
        .route("/bulk/{id}/stop", post(bulk::stop))
        .route("/audit", get(audit::list_audit))
        .route("/live", get(live::follow_queue))
}

/// Every page.
pub(crate) fn router(api: &Api) -> Router<Api> {
    let admit = middleware::from_fn_with_state(api.clone(), access::admit);
    let dress = middleware::from_fn_with_state(api.clone(), access::dress);
    let guard = middleware::from_fn(access::refuse_other_sites);
    let open = open().route_layer(guard);
    guarded().route_layer(admit).merge(open).route_layer(dress)
}
