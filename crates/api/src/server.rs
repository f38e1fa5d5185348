//! A listener goes in; every connection is answered until a signal, and none is cut in the middle.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::alerts;
use crate::middleware::Peer;
use crate::options::ApiOptions;
use crate::routes;
use crate::state::Api;
use crate::tokens::Tokens;

/// How long a caller may take to send the headers of a request.
const HEADERS: Duration = Duration::from_secs(10);
/// Connections at once: each costs some tens of KiB, and one descriptor.
const CONNECTIONS: usize = 4096;
/// How long requests under way may take when the server ends.
const DRAIN: Duration = Duration::from_secs(10);
/// After a refused `accept`: most likely there are no descriptors left for a moment.
const BREATH: Duration = Duration::from_millis(100);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Without tokens only this machine may ask, and the address is open to others.
    #[error(
        "{0} can be reached from other machines: set API_TOKENS, or HTTP_ADDR to 127.0.0.1:8090"
    )]
    Open(SocketAddr),
    /// The listener cannot say where it listens.
    #[error("the address cannot be used: {0}")]
    Address(#[from] std::io::Error),
}

/// Whether so much may be served there: without tokens, this machine alone is answered.
pub fn check(address: SocketAddr, tokens: &Tokens) -> Result<(), ServeError> {
    if tokens.is_empty() && !address.ip().is_loopback() {
        return Err(ServeError::Open(address));
    }
    Ok(())
}

/// Serves until `ends`; then takes no new connection, and lets what is under way end, at most 10 s.
/// A stream of events is ended at once: whoever follows one comes back.
pub async fn serve(
    listener: TcpListener,
    options: ApiOptions,
    ends: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    check(listener.local_addr()?, &options.tokens)?;
    let mut helpers = JoinSet::new();
    if let Some(teller) = options.teller.clone() {
        helpers.spawn(alerts::watch(options.inspector.clone(), teller));
    }
    let api = Api::new(options, routes::document().into());
    let hub = api.hub.clone();
    helpers.spawn(hub.clone().run());
    helpers.spawn(api.mirror.clone().follow());
    helpers.spawn(api.bulks.clone().run());
    helpers.spawn(api.tokens.clone().follow_file());
    helpers.spawn(api.lookout.clone().run());
    let routes = routes::router(api);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::select! {
        never = accept(&listener, &routes, &graceful, &mut connections) => match never {},
        () = ends => {}
    }
    hub.close();
    drop((listener, helpers));
    let drained = tokio::time::timeout(DRAIN, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!("some requests were cut off after {} s", DRAIN.as_secs());
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    routes: &Router,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) -> std::convert::Infallible {
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers must not wait for more to come.
                let _ = stream.set_nodelay(true);
                connections.spawn(answer(stream, Peer(peer), routes.clone(), graceful.watcher()));
            }
            Err(error) => {
                tracing::warn!("a connection was not taken: {error}");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, peer: Peer, routes: Router, watcher: Watcher) {
    let service = routes.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.map(axum::body::Body::new)
    });
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let connection =
        protocol.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    // A caller that hangs up or speaks another protocol harms nobody.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!("a connection ended: {error}");
    }
}
