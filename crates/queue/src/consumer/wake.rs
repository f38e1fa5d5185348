//! Waiting for work without asking all the time: one blocking command on a connection of its own.

use std::time::Duration;

use futures::future::BoxFuture;
use redis::aio::MultiplexedConnection;

use crate::connection::Endpoint;

const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(200);

/// Blocks on the wake marker.
pub(crate) struct Wake {
    endpoint: Endpoint,
    /// A server that is later than this with the answer to a wait is given up.
    limit: Duration,
    connection: Option<MultiplexedConnection>,
    /// A block that goes on although nobody waits for it.
    pending: Option<BoxFuture<'static, Block>>,
}

/// The end of a block: the connection, if it is of more use, and whether the marker came or may have come.
type Block = (Option<MultiplexedConnection>, bool);

impl Wake {
    /// A server that is `patience` late with the answer to a wait of `longest` is given up.
    pub(crate) fn new(endpoint: Endpoint, longest: Duration, patience: Duration) -> Self {
        Self { endpoint, limit: longest + patience, connection: None, pending: None }
    }

    /// Returns when the marker is there, or `limit` is over; true when it was, or may have been. May be
    /// dropped: the block itself lives on, and the next wait takes over its answer.
    pub(crate) async fn wait(&mut self, limit: Duration) -> bool {
        let Self { endpoint, connection, pending, .. } = self;
        let (endpoint, patience) = (&*endpoint, self.limit);
        let block = pending.get_or_insert_with(|| {
            Box::pin(block(endpoint.clone(), connection.take(), patience, limit))
        });
        let (open, is_woken) = block.await;
        (self.connection, self.pending) = (open, None);
        is_woken
    }
}

async fn block(
    endpoint: Endpoint,
    open: Option<MultiplexedConnection>,
    patience: Duration,
    limit: Duration,
) -> Block {
    let open = match open {
        Some(open) => Some(open),
        None => endpoint.dedicated(patience).await.ok(),
    };
    let blocked = match open {
        Some(mut open) => pop(&endpoint, &mut open, limit).await.map(|popped| (open, popped)),
        None => Err(()),
    };
    if let Ok((open, is_woken)) = blocked {
        return (Some(open), is_woken);
    }
    tokio::time::sleep(PAUSE_AFTER_FAULT.mul_f64(fastrand::f64())).await;
    (None, true)
}

/// Whether the marker came. Fails when the connection is of no more use.
async fn pop(
    endpoint: &Endpoint,
    open: &mut MultiplexedConnection,
    limit: Duration,
) -> Result<bool, ()> {
    let seconds = limit.as_secs_f64().max(0.01);
    let mut command = redis::cmd("BZPOPMIN");
    command.arg(endpoint.keys().named("wake")).arg(seconds);
    let popped: redis::RedisResult<Option<(String, String, f64)>> = command.query_async(open).await;
    popped.map(|marker| marker.is_some()).map_err(|error| endpoint.failed(&error))
}
