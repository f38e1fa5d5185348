//! What signs and sends webhooks, as the queue wants it.

use std::sync::Arc;

use providers::webhook::{Message, Sender, SenderOptions, Sent};
use queue::{Attempt, Courier, Delivery};
use settings::WebhookConfig;

/// The courier of this worker.
pub(super) fn courier(config: &WebhookConfig) -> anyhow::Result<Option<Arc<dyn Courier>>> {
    let WebhookConfig { secrets, allow, proxy } = config.clone();
    let options = SenderOptions { secrets, allow, proxy, ..SenderOptions::default() };
    let sender = Sender::new(&options)?;
    Ok(Some(Arc::new(WebhookCourier(sender))))
}

struct WebhookCourier(Sender);

#[async_trait::async_trait]
impl Courier for WebhookCourier {
    async fn send(&self, delivery: &Delivery) -> Attempt {
        let message = Message {
            id: &delivery.event,
            tenant: delivery.tenant.as_str(),
            url: delivery.url.as_str(),
            body: &delivery.body,
        };
        match self.0.send(message).await {
            Sent::Made(answer) => Attempt::Made {
                at: answer.at.into(),
                status: answer.status,
                error: answer.error,
                latency: answer.latency,
                answer: answer.body,
                retry_after: answer.retry_after,
            },
            Sent::NoSecret => Attempt::NoSecret,
            Sent::Crowded => Attempt::Crowded,
        }
    }

    fn can_sign(&self) -> bool {
        self.0.can_sign()
    }
}
