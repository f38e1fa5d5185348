//! Waiting for work without asking all the time: one blocking command on a connection of its own.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, oneshot};

use super::role::Running;
use crate::connection::Endpoint;

const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(200);

type Request = (Duration, oneshot::Sender<bool>);

/// Blocks on the wake marker for others.
pub(crate) struct Wake {
    requests: mpsc::Sender<Request>,
    pending: Option<oneshot::Receiver<bool>>,
    _task: Running,
}

impl Wake {
    /// A server that is `patience` late with the answer to a wait is given up.
    pub(crate) fn start(endpoint: Endpoint, longest: Duration, patience: Duration) -> Self {
        let (requests, incoming) = mpsc::channel(1);
        let task = Running::task(serve(endpoint, longest + patience, incoming));
        Self { requests, pending: None, _task: task }
    }

    /// Returns when the marker is there, or `limit` is over; true when it was, or may have been. May be dropped: the block itself lives
    /// on in its task, and the next wait takes over its answer.
    pub(crate) async fn wait(&mut self, limit: Duration) -> bool {
        if self.pending.is_none() {
            let (answer, pending) = oneshot::channel();
            if self.requests.send((limit, answer)).await.is_err() {
                return true;
            }
            self.pending = Some(pending);
        }
        let Some(pending) = &mut self.pending else { return true };
        // An answer that never comes means that the task is gone, and so are we soon.
        let is_woken = pending.await.unwrap_or(true);
        self.pending = None;
        is_woken
    }
}

async fn serve(endpoint: Endpoint, limit: Duration, mut incoming: mpsc::Receiver<Request>) {
    let key = endpoint.keys().named("wake");
    let mut connection: Option<MultiplexedConnection> = None;
    while let Some((longest, answer)) = incoming.recv().await {
        if connection.is_none() {
            connection = endpoint.dedicated(limit).await.ok();
        }
        let blocked = match &mut connection {
            Some(open) => block(open, &key, longest).await,
            None => Ok(true),
        };
        if let Err(error) = &blocked {
            endpoint.failed(error);
            connection = None;
        }
        if connection.is_none() {
            tokio::time::sleep(PAUSE_AFTER_FAULT.mul_f64(fastrand::f64())).await;
        }
        // Whoever asked may have gone.
        let _ = answer.send(blocked.unwrap_or(true));
    }
}

/// Whether the marker came. Fails when the connection is of no more use.
async fn block(
    connection: &mut MultiplexedConnection,
    key: &str,
    limit: Duration,
) -> redis::RedisResult<bool> {
    let seconds = limit.as_secs_f64().max(0.01);
    let mut command = redis::cmd("BZPOPMIN");
    let popped: redis::RedisResult<Option<(String, String, f64)>> =
        command.arg(key).arg(seconds).query_async(connection).await;
    popped.map(|marker| marker.is_some())
}
