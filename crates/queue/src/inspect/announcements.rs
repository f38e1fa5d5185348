//! The queue's channel of events comes in, one typed announcement after the other goes out.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use redis::Msg;

use crate::{Endpoint, QueueError};

/// What the queue says of a job as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The job.
    pub id: String,
    /// Its new state, or `purged`, or the word of a progress.
    pub word: String,
}

/// Every change, as a hint: what is said while the connection is away is lost.
pub struct Announcements(Pin<Box<dyn Stream<Item = Msg> + Send>>);

impl Announcements {
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, QueueError> {
        let mut listener = endpoint.listener().await?;
        listener.subscribe(endpoint.keys().events()).await?;
        Ok(Self(Box::pin(listener.into_on_message())))
    }

    /// The next change; `None` once the connection has ended. May be dropped and awaited again.
    pub async fn next(&mut self) -> Option<Announcement> {
        loop {
            let text: String = self.0.next().await?.get_payload().unwrap_or_default();
            // Identifiers hold no colon.
            if let Some((id, word)) = text.split_once(':') {
                return Some(Announcement { id: id.to_owned(), word: word.to_owned() });
            }
        }
    }
}
