//! The calls of those who look at a queue and mend it.

use redis::RedisResult;
use redis::aio::ConnectionLike;

use super::{Scripts, Verb};
use crate::QueueError;
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

    /// `pause` stops claims, `resume` lets them go on; false when nothing changed.
    pub(crate) async fn pause(
        &self,
        connection: &mut impl ConnectionLike,
        step: &str,
    ) -> RedisResult<bool> {
        let changed: i64 = self.call(Verb::Pause).arg(step).invoke_async(connection).await?;
        Ok(changed == 1)
    }

    /// Cancels, replays or purges one job; the verb's words come out.
    pub(crate) async fn of_job(
        &self,
        connection: &mut impl ConnectionLike,
        verb: Verb,
        id: &str,
    ) -> RedisResult<Vec<String>> {
        self.call(verb).arg(id).invoke_async(connection).await
    }
}
