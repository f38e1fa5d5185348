//! The calls of those who look at a queue and mend it.

use redis::aio::ConnectionLike;
use redis::{RedisResult, ScriptInvocation};
use stillcast_enqueue::StageName;

use super::{Scripts, Verb};
use crate::QueueError;
use crate::audit::Actor;
use crate::numbers::Numbers;
use crate::remake::Remake;
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
    pub(crate) fn of_job(&self, verb: Verb, id: &str, actor: &Actor) -> ScriptInvocation<'_> {
        let mut call = self.call(verb);
        call.arg(id).arg(&actor.words());
        call
    }

    /// Replays a job from a stage on. `requests` are the one that the caller knows and the one that
    /// takes its place, both empty where it stays.
    pub(crate) fn replay_from(
        &self,
        id: &str,
        actor: &Actor,
        remake: &Remake,
        requests: (&[u8], &str),
    ) -> ScriptInvocation<'_> {
        let mut call = self.of_job(Verb::Replay, id, actor);
        let from = remake.from().map_or("", StageName::as_str);
        call.arg(from).arg(requests.0).arg(requests.1).arg(remake.to_string());
        call
    }
}
