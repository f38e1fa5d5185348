//! The queue's channel of events comes in, one typed announcement after the other goes out.

use std::collections::VecDeque;
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
pub struct Announcements {
    messages: Pin<Box<dyn Stream<Item = Msg> + Send>>,
    /// What the last message has told besides.
    told: VecDeque<Announcement>,
}

impl Announcements {
    pub(super) async fn open(endpoint: &Endpoint) -> Result<Self, QueueError> {
        let mut listener = endpoint.listener().await?;
        listener.subscribe(endpoint.keys().events()).await?;
        Ok(Self { messages: Box::pin(listener.into_on_message()), told: VecDeque::new() })
    }

    /// The next change; `None` once the connection has ended. May be dropped and awaited again.
    pub async fn next(&mut self) -> Option<Announcement> {
        loop {
            if let Some(announcement) = self.told.pop_front() {
                return Some(announcement);
            }
            let text: String = self.messages.next().await?.get_payload().unwrap_or_default();
            self.told.extend(announcements(&text));
        }
    }
}

/// The changes of one message: what one script has changed, a job a line. Identifiers hold no colon.
fn announcements(text: &str) -> impl Iterator<Item = Announcement> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(id, word)| Announcement { id: id.to_owned(), word: word.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_tells_of_one_job_a_line() {
        let told: Vec<_> = announcements("a.1:ready\nb:leased\nnonsense\n").collect();
        let pairs: Vec<_> = told.iter().map(|one| (one.id.as_str(), one.word.as_str())).collect();
        assert_eq!(pairs, [("a.1", "ready"), ("b", "leased")]);
    }
}
