//! The first write of an attempt. Attempts that start together begin in one call.

use stillcast_enqueue::connection::{SharedConnection, is_unserved, pause};
use tokio::sync::{mpsc, oneshot};

use super::role::Running;
use super::shared::Shared;
use crate::lease::Lease;
use crate::scripts::Scripts;
use crate::scripts::worker_calls::BEGINS_A_CALL;

/// To whom attempts say that they begin. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Begins(mpsc::Sender<Begin>);

/// One attempt that begins.
struct Begin {
    id: String,
    token: String,
    /// Whether its token is current.
    answer: oneshot::Sender<bool>,
}

impl Begins {
    /// Starts the task that writes; it ends with the last clone.
    pub(crate) fn start(shared: &Shared) -> (Self, Running) {
        let (begins, waiting) = mpsc::channel(shared.options.slots);
        let (scripts, connection) = (shared.link.scripts.clone(), shared.link.connection.clone());
        (Self(begins), Running::task(write(waiting, scripts, connection)))
    }

    /// Whether the lease is still ours: from here on this worker's death counts against the job. Waits
    /// until Redis has answered; `None` when the task is gone.
    pub(crate) async fn begin(&self, lease: &Lease) -> Option<bool> {
        let (answer, answered) = oneshot::channel();
        let (id, token) = (lease.id().to_owned(), lease.token().to_owned());
        self.0.send(Begin { id, token, answer }).await.ok()?;
        answered.await.ok()
    }
}

async fn write(
    mut waiting: mpsc::Receiver<Begin>,
    scripts: Scripts,
    mut connection: SharedConnection,
) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BEGINS_A_CALL).await > 0 {
        // Others that were claimed by the same call are on their way.
        tokio::task::yield_now().await;
        while batch.len() < BEGINS_A_CALL
            && let Ok(another) = waiting.try_recv()
        {
            batch.push(another);
        }
        let current = until_answered(&batch, &scripts, &mut connection).await;
        for (begin, is_current) in batch.drain(..).zip(current) {
            // An attempt whose lease is over waits no longer.
            let _ = begin.answer.send(is_current);
        }
    }
}

/// Repeats the call while somebody waits for its answer.
async fn until_answered(
    batch: &[Begin],
    scripts: &Scripts,
    connection: &mut SharedConnection,
) -> Vec<bool> {
    for tries in 0.. {
        let leases = batch.iter().map(|begin| (begin.id.as_str(), begin.token.as_str()));
        match scripts.begin(connection, leases).await {
            Ok(current) => return current,
            // Whoever watches the connection tells of an outage, once.
            Err(error) if is_unserved(&error) => {}
            Err(error) if tries == 0 => {
                tracing::warn!(%error, "the beginning was not written, retrying");
            }
            Err(error) => tracing::debug!(%error, "the beginning was not written, retrying"),
        }
        if batch.iter().all(|begin| begin.answer.is_closed()) {
            break;
        }
        tokio::time::sleep(pause(tries)).await;
    }
    Vec::new()
}
