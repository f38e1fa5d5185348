//! What an operator wishes of a job or of the whole queue goes in; what became of it comes out, and a
//! line of the audit says who has changed what.

use std::time::Duration;

use stillcast_enqueue::CancelAnswer;

use super::answers::{
    PurgeAnswer, ReplayAnswer, ResendAnswer, cancelled, purged, replayed, resent,
};
use super::inspector::Inspector;
use crate::answers::Reaped;
use crate::audit::Actor;
use crate::numbers::Numbers;
use crate::scripts::Verb;
use crate::scripts::worker_calls::ReapRequest;
use crate::{Limits, QueueError};

/// Only the gap rule reads it, and [`Inspector::reap_everything`] leaves no lease to judge.
const ANY_LEASE: Duration = Duration::from_secs(30);

impl Inspector {
    /// Ends a job: at once while it waits, by its worker while it runs.
    pub async fn cancel(&self, id: &str, actor: &Actor) -> Result<CancelAnswer, QueueError> {
        cancelled(&self.answer(Verb::Cancel, id, actor).await?)
    }

    /// Sends a dead job round again.
    pub async fn replay(&self, id: &str, actor: &Actor) -> Result<ReplayAnswer, QueueError> {
        replayed(&self.answer(Verb::Replay, id, actor).await?)
    }

    /// Forgets an ended job. Its files must be gone before: nothing else remembers them.
    pub async fn purge(&self, id: &str, actor: &Actor) -> Result<PurgeAnswer, QueueError> {
        purged(&self.answer(Verb::Purge, id, actor).await?)
    }

    /// Has the end of a job told once more, at once.
    pub async fn resend_webhook(
        &self,
        id: &str,
        actor: &Actor,
    ) -> Result<ResendAnswer, QueueError> {
        resent(&self.answer(Verb::Resend, id, actor).await?)
    }

    async fn answer(&self, verb: Verb, id: &str, actor: &Actor) -> Result<Vec<String>, QueueError> {
        let call = self.scripts.of_job(verb, id, actor);
        Ok(call.invoke_async(&mut self.connection.clone()).await?)
    }

    /// Pauses claiming; running jobs finish. False when it was paused before.
    pub async fn pause(&self, actor: &Actor) -> Result<bool, QueueError> {
        Ok(self.scripts.pause(&mut self.connection.clone(), "pause", actor).await?)
    }

    /// Resumes claiming. False when it was not paused.
    pub async fn resume(&self, actor: &Actor) -> Result<bool, QueueError> {
        Ok(self.scripts.pause(&mut self.connection.clone(), "resume", actor).await?)
    }

    /// Ends every lease: only for the holder of an embedded queue's lock, beside whom nobody can
    /// hold one. Returns how many there were.
    pub async fn reap_everything(&self) -> Result<u64, QueueError> {
        let limits = &Limits::default();
        let everything = ReapRequest {
            lease_ttl: ANY_LEASE,
            everything: true,
            answered_ms: None,
            fresh: Duration::ZERO,
            limits,
        };
        let mut all = 0;
        loop {
            let call = self.scripts.reap(&everything);
            let numbers: Numbers = call.invoke_async(&mut self.connection.clone()).await?;
            let Reaped { leases, more, .. } = Reaped::from_numbers(&numbers)?;
            all += leases;
            if !more {
                return Ok(all);
            }
        }
    }
}
