//! A queue and its settings go in; what it owes is delivered, until somebody has had enough.

use std::sync::Arc;
use std::time::Duration;

use queue::{Courier, Endpoint, Notifier};
use settings::WebhookConfig;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::sender::{Sender, SenderError, SenderOptions};

/// Between two tries to reach Redis.
const AGAIN: Duration = Duration::from_secs(5);

/// Delivers until the set is dropped: what is under way then is another process's within a minute.
pub fn deliver(endpoint: Endpoint, config: &WebhookConfig) -> Result<JoinSet<()>, SenderError> {
    let WebhookConfig { secrets, allow, proxy } = config.clone();
    let options = SenderOptions { secrets, allow, proxy, ..SenderOptions::default() };
    let sender = Sender::new(&options)?;
    if !sender.can_sign() {
        tracing::info!("WEBHOOK_SECRETS is not set: webhooks wait for a process that can sign");
    }
    let mut running = JoinSet::new();
    running.spawn(run(endpoint, Arc::new(sender)));
    Ok(running)
}

async fn run(endpoint: Endpoint, courier: Arc<dyn Courier>) {
    loop {
        match Notifier::connect(&endpoint, Arc::clone(&courier)).await {
            Ok(notifier) => return notifier.run().await,
            Err(error) => tracing::warn!("webhooks wait: {error}"),
        }
        sleep(AGAIN).await;
    }
}
