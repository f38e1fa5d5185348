//! Probes and scrapes go in; whether the worker lives, is ready, and what it has counted come out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use queue::Health;
use telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A consumer turns at least every two seconds, and Redis gets five to take a connection.
const MIN_LIVE: Duration = Duration::from_secs(15);
const MIN_READY: Duration = Duration::from_secs(5);

/// What the probes are answered from.
#[derive(Clone)]
pub(crate) struct Vitals {
    health: Health,
    metrics: Arc<Metrics>,
    /// Longest time without a turn of the consumer.
    live: Duration,
    /// Longest silence of Redis.
    ready: Duration,
}

impl Vitals {
    pub(crate) fn new(health: Health, metrics: Arc<Metrics>, lease_ttl: Duration) -> Self {
        let (live, ready) = (MIN_LIVE.max(lease_ttl / 2), MIN_READY.max(lease_ttl / 3));
        Self { health, metrics, live, ready }
    }

    /// Whether the consumer turns.
    pub(crate) fn is_live(&self) -> bool {
        self.health.is_turning(self.live)
    }
}

/// Takes the address, so that an occupied one is known before anything is claimed.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("{address} cannot be used; free it, or set another one, or off"))
}

/// Answers until it is dropped.
pub(crate) fn serve(listener: TcpListener, vitals: Vitals) -> JoinSet<std::io::Result<()>> {
    let routes = Router::new()
        .route("/healthz", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(vitals);
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, routes).await });
    server
}

async fn live(State(vitals): State<Vitals>) -> (StatusCode, String) {
    if vitals.is_live() {
        (StatusCode::OK, "live\n".to_owned())
    } else {
        let limit = vitals.live.as_secs();
        unavailable(format!("nothing was claimed or asked for in {limit} s"))
    }
}

async fn ready(State(vitals): State<Vitals>) -> (StatusCode, String) {
    if vitals.health.is_draining() {
        unavailable("draining".to_owned())
    } else if !vitals.health.is_ready(vitals.ready) {
        unavailable(format!("Redis has not answered for {} s", vitals.ready.as_secs()))
    } else {
        (StatusCode::OK, "ready\n".to_owned())
    }
}

/// Off the threads of the work: it asks the kernel.
async fn metrics(State(vitals): State<Vitals>) -> ([(HeaderName, &'static str); 1], String) {
    let page = tokio::task::spawn_blocking(move || vitals.metrics.encode()).await;
    ([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], page.unwrap_or_default())
}

fn unavailable(why: String) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, why + "\n")
}
