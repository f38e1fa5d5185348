//! Hints of cancelled jobs come in, and interrupt their attempts at once. The heartbeat finds those
//! that a hint missed.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;

use super::role::Running;
use super::shared::Shared;
use crate::Interrupted;
use crate::connection::Endpoint;
use crate::lease_table::LeaseTable;

/// Between two tries to subscribe.
const RESUBSCRIBE_DELAY: Duration = Duration::from_millis(100);

/// Starts the subscription, which comes back by itself.
pub(crate) fn start(shared: &Shared) -> Running {
    let (leases, endpoint) = (Arc::clone(&shared.leases), shared.options.endpoint.clone());
    Running::task(async move {
        loop {
            if let Err(error) = listen(&endpoint, &leases).await {
                tracing::debug!(%error, "cancel subscription lost, resubscribing");
            }
            tokio::time::sleep(RESUBSCRIBE_DELAY).await;
        }
    })
}

/// Ends when the connection does.
async fn listen(endpoint: &Endpoint, leases: &LeaseTable) -> redis::RedisResult<()> {
    let mut listener = endpoint.listener().await?;
    listener.subscribe(endpoint.keys().named("cancels")).await?;
    let mut messages = listener.into_on_message();
    while let Some(message) = messages.next().await {
        leases.interrupt(&message.get_payload::<String>()?, Interrupted::Cancelled);
    }
    Ok(())
}
