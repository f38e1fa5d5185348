//! The calls that a worker makes under a lease. Each carries the lease's token, and is refused once
//! the job has another one.

use std::time::Duration;

use redis::{RedisResult, ScriptInvocation};
use stillcast_enqueue::Cost;
use stillcast_enqueue::connection::SharedConnection;

use super::arguments::{json, millis, no_progress};
use super::{Scripts, Verb};
use crate::{Limits, QueueError, Report, Reported};

/// The calls under one lease; each call uses it up.
pub struct LeaseCalls<'call> {
    scripts: &'call Scripts,
    connection: SharedConnection,
    id: &'call str,
    token: &'call str,
}

/// One lease, and how its holder ends it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending<'call> {
    pub(crate) id: &'call str,
    pub(crate) token: &'call str,
    pub(crate) report: &'call Report,
    /// The delay of a retry that names none.
    pub(crate) backoff: Duration,
}

/// The values of `reports_at` in `lua/report_preamble.lua`.
pub(crate) fn add_endings<'call>(
    call: &mut ScriptInvocation<'_>,
    limits: &Limits,
    endings: impl IntoIterator<Item = Ending<'call>>,
) {
    call.arg(limits.interruptions).arg(no_progress()).arg(limits.crashes);
    for Ending { id, token, report, backoff } in endings {
        let Report { outcome, stages, cost } = report;
        call.arg(id).arg(token).arg(outcome.as_str());
        call.arg(millis(outcome.delay(backoff))).arg(outcome.park_reason());
        call.arg(json(outcome.error())).arg(json(outcome.artifact()));
        call.arg(json(stages.as_ref())).arg(json(cost.as_ref()));
        call.arg(outcome.flights().len()).arg(outcome.flights());
    }
}

impl Scripts {
    /// The calls under the lease of the job `id`.
    pub fn lease<'call>(
        &'call self,
        connection: SharedConnection,
        id: &'call str,
        token: &'call str,
    ) -> LeaseCalls<'call> {
        LeaseCalls { scripts: self, connection, id, token }
    }
}

impl<'call> LeaseCalls<'call> {
    fn call(&self, verb: Verb) -> ScriptInvocation<'call> {
        let mut call = self.scripts.call(verb);
        call.arg(self.id).arg(self.token);
        call
    }

    /// Remembers finished paid calls as `(name, digest)`; false when the token is stale. Empty
    /// `words` leave the transcript as it is, and no `cost` the record's.
    pub async fn checkpoint(
        mut self,
        words: &str,
        cost: Option<Cost>,
        digests: &[(String, String)],
    ) -> RedisResult<bool> {
        let mut call = self.call(Verb::Checkpoint);
        call.arg(json(cost.as_ref())).arg(words);
        for (name, digest) in digests {
            call.arg(name).arg(digest);
        }
        is_ok(call.invoke_async(&mut self.connection).await)
    }

    /// Stage, percent and stages (JSON, empty = unchanged) for those who watch; false when the token
    /// is stale.
    pub async fn progress(mut self, stage: &str, percent: u8, stages: &str) -> RedisResult<bool> {
        let mut call = self.call(Verb::Progress);
        is_ok(
            call.arg(stage)
                .arg(percent.min(100))
                .arg(stages)
                .invoke_async(&mut self.connection)
                .await,
        )
    }

    /// Ends the lease. `backoff` is the delay of a retry that names none.
    pub async fn report(
        mut self,
        report: &Report,
        backoff: Duration,
        limits: &Limits,
    ) -> Result<Reported, QueueError> {
        let mut call = self.scripts.call(Verb::Report);
        let ending = Ending { id: self.id, token: self.token, report, backoff };
        add_endings(&mut call, limits, [ending]);
        let answers: Vec<(String, String)> = call.invoke_async(&mut self.connection).await?;
        let answer = answers.into_iter().next().unwrap_or_default();
        Reported::from_words(answer)
    }

    /// Into the flight `key`; the words of [`JoinAnswer`](crate::JoinAnswer).
    pub async fn join(mut self, key: &str) -> RedisResult<Vec<String>> {
        self.call(Verb::Join).arg(key).invoke_async(&mut self.connection).await
    }

    /// Out of the flight `key`, with the word of its result; false when the caller does not own it.
    pub async fn land(mut self, key: &str, how: &str) -> RedisResult<bool> {
        is_ok(self.call(Verb::Land).arg(key).arg(how).invoke_async(&mut self.connection).await)
    }

    /// The words said until now, as far as a checkpoint has brought them.
    pub async fn transcript(mut self) -> RedisResult<Option<String>> {
        let key = self.scripts.keys().transcript(self.id);
        redis::cmd("GET").arg(key).query_async(&mut self.connection).await
    }
}

fn is_ok(answer: RedisResult<String>) -> RedisResult<bool> {
    answer.map(|word| word == "ok")
}
