//! A message goes in; whoever is on duty has it.

use async_trait::async_trait;

/// Carries what is told.
#[async_trait]
pub trait Teller: Send + Sync {
    /// Sends one message, JSON as Standard Webhooks has it; why nobody has taken it, in a few words
    /// without a secret. The same `id` comes again until somebody has.
    async fn tell(&self, id: &str, body: &str) -> Result<(), String>;
}
