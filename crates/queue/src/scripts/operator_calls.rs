//! The calls of those who look at a queue and mend it.

use redis::aio::ConnectionLike;
use redis::{RedisResult, ScriptInvocation};

use super::{Scripts, Verb};
use crate::QueueError;
use crate::audit::Actor;
use crate::numbers::Numbers;
use crate::stats::QueueStats;

impl Scripts {
    /// One consistent look at the whole queue, at constant cost.
    pub async fn stats(
        &self,
        connection: &mut impl ConnectionLike,
    ) -> Result<QueueStats, QueueError> {
        let numbers: Numbers = self.call(Verb::Stats).invoke_async(connection).await?;
        QueueStats::from_numbers(self.keys().prefix(), &numbers)
    }

    /// Why the job `id` does not run; the answer is a [`Why`](crate::Why).
    pub fn why(&self, id: &str) -> ScriptInvocation<'_> {
        let mut call = self.call(Verb::Why);
        call.arg(id);
        call
    }

    /// `pause` stops claims, `resume` lets them go on; false when nothing changed.
    pub(crate) async fn pause(
        &self,
        connection: &mut impl ConnectionLike,
        step: &str,
        actor: &Actor,
    ) -> RedisResult<bool> {
        let mut call = self.call(Verb::Pause);
        let changed: i64 = call.arg(step).arg(&actor.words()).invoke_async(connection).await?;
        Ok(changed == 1)
    }

    /// Cancels, replays, purges or tells of one job; the verb's words come out.
    pub(crate) async fn of_job(
        &self,
        connection: &mut impl ConnectionLike,
        verb: Verb,
        id: &str,
        actor: &Actor,
    ) -> RedisResult<Vec<String>> {
        self.call(verb).arg(id).arg(&actor.words()).invoke_async(connection).await
    }
}
