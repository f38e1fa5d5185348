//! What tells of the ends of jobs.

use queue::Endpoint;
use settings::WebhookConfig;
use tokio::task::JoinSet;

/// Delivers what the queue owes until the set is dropped.
pub(crate) fn deliver(endpoint: Endpoint, config: &WebhookConfig) -> anyhow::Result<JoinSet<()>> {
    Ok(webhook::deliver(endpoint, config)?)
}
