//! A courier goes in; what the queue owes is delivered, until the worker ends.

use std::sync::Arc;
use std::time::Duration;

use queue::{Courier, Endpoint, Notifier};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Between two tries to reach Redis.
const AGAIN: Duration = Duration::from_secs(5);

/// Delivers until it is dropped: what is under way then is another worker's within a minute.
pub(crate) fn start(endpoint: Endpoint, courier: Option<Arc<dyn Courier>>) -> JoinSet<()> {
    let mut running = JoinSet::new();
    if let Some(courier) = courier {
        if !courier.can_sign() {
            tracing::info!("WEBHOOK_SECRETS is not set: webhooks wait for a worker that can sign");
        }
        running.spawn(deliver(endpoint, courier));
    }
    running
}

async fn deliver(endpoint: Endpoint, courier: Arc<dyn Courier>) {
    loop {
        match Notifier::connect(&endpoint, Arc::clone(&courier)).await {
            Ok(notifier) => return notifier.run().await,
            Err(error) => tracing::warn!("webhooks wait: {error}"),
        }
        sleep(AGAIN).await;
    }
}
