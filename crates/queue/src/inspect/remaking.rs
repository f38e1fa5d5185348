//! A dead job goes in, and from which stage it is made anew with which options; it is sent round again.

use redis::AsyncCommands;
use stillcast_enqueue::{Envelope, Options};

use super::answers::{ReplayAnswer, replayed};
use super::inspector::Inspector;
use crate::QueueError;
use crate::audit::Actor;
use crate::remake::Remake;

/// How often a request is read again that somebody else has changed meanwhile.
const TRIES: u32 = 3;

impl Inspector {
    /// Sends a dead job round again, as [`Inspector::replay`] does, and makes anew what `remake` names;
    /// the rest of what was paid for is kept. The audit has what was changed.
    pub async fn replay_from(
        &self,
        id: &str,
        remake: &Remake,
        actor: &Actor,
    ) -> Result<ReplayAnswer, QueueError> {
        if remake.from().is_none() {
            return self.replay(id, actor).await;
        }
        for _ in 0..TRIES {
            let known = if remake.changes_request() { self.request(id).await? } else { None };
            let changed = known.as_deref().map(|known| remake.apply(known)).transpose();
            let changed = match changed {
                Ok(changed) => changed.unwrap_or_default(),
                Err(why) => return Ok(ReplayAnswer::Unreadable(why.to_string())),
            };
            // Without its request the script says what stands in the way.
            let requests = (known.as_deref().unwrap_or_default(), changed.as_str());
            let call = self.scripts.replay_from(id, actor, remake, requests);
            let answer: Vec<String> = call.invoke_async(&mut self.connection.clone()).await?;
            if answer != ["changed"] {
                return replayed(&answer);
            }
        }
        Err(QueueError::Protocol { script: "replay", answer: "changed".to_owned() })
    }

    /// The options of a job's request; `None` when it is gone, or cannot be read here.
    pub async fn options(&self, id: &str) -> Result<Option<Options>, QueueError> {
        let request = self.request(id).await?;
        Ok(request.and_then(|request| Some(Envelope::decode(&request).ok()?.options)))
    }

    /// The envelope's bytes.
    async fn request(&self, id: &str) -> Result<Option<Vec<u8>>, QueueError> {
        Ok(self.connection.clone().get(self.endpoint.keys().body(id)).await?)
    }
}
