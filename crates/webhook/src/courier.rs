//! A delivery of the queue goes in as a message of the sender's; what was answered comes out in the
//! queue's words.

use async_trait::async_trait;
use queue::{Attempt, Courier, Delivery};

use crate::sender::{Answer, Message, Sender, Sent};

#[async_trait]
impl Courier for Sender {
    async fn send(&self, delivery: &Delivery) -> Attempt {
        let message = Message {
            id: &delivery.event,
            tenant: delivery.tenant.as_str(),
            url: delivery.url.as_str(),
            body: &delivery.body,
        };
        match self.send(message).await {
            Sent::Made(answer) => made(answer),
            Sent::NoSecret => Attempt::NoSecret,
            Sent::Crowded => Attempt::Crowded,
        }
    }

    fn can_sign(&self) -> bool {
        self.can_sign()
    }
}

fn made(answer: Answer) -> Attempt {
    let Answer { at, status, error, latency, body, retry_after } = answer;
    Attempt::Made { at: at.into(), status, error, latency, answer: body, retry_after }
}
