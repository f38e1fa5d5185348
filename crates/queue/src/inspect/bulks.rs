//! What is wished of many jobs goes in; how far it is comes out.

use std::collections::HashMap;
use std::time::Duration;

use redis::{AsyncCommands, ScriptInvocation};

use super::inspector::Inspector;
use crate::QueueError;
use crate::audit::Actor;
use crate::bulk::{BulkAnswer, BulkOrder, BulkRecord};
use crate::scripts::Verb;

/// Whoever works on a bulk action, and how long it is theirs after each call.
#[derive(Clone, Debug)]
pub struct BulkHolder {
    /// A name that no other process has.
    pub server: String,
    /// Then another server may go on.
    pub hold: Duration,
}

impl Inspector {
    /// Begins a bulk action, or says where it stands if it has begun before.
    pub async fn begin_bulk(&self, order: &BulkOrder) -> Result<BulkAnswer, QueueError> {
        let mut call = self.scripts.call(Verb::Bulk);
        call.arg(&order.id).arg("begin").arg(order.action.as_str()).arg(&order.filter);
        call.arg(order.tenant.as_deref().unwrap_or_default()).arg(&order.actor.words());
        call.arg(order.planned_at.timestamp_millis());
        self.bulk_answer(&call).await
    }

    /// Adds at most 100 jobs, each with a number by which the lowest goes first.
    pub async fn gather_bulk(
        &self,
        id: &str,
        holder: &BulkHolder,
        jobs: &[(i64, String)],
    ) -> Result<BulkAnswer, QueueError> {
        let mut call = self.held(Verb::Bulk, id, Some("gather"), holder);
        for (number, job) in jobs {
            call.arg((*number).max(0)).arg(job);
        }
        self.bulk_answer(&call).await
    }

    /// Lets it set out: all of its jobs are gathered.
    pub async fn run_bulk(&self, id: &str, holder: &BulkHolder) -> Result<BulkAnswer, QueueError> {
        self.bulk_answer(&self.held(Verb::Bulk, id, Some("run"), holder)).await
    }

    /// Stops it where it stands. One that is done stays done.
    pub async fn stop_bulk(&self, id: &str, actor: &Actor) -> Result<BulkAnswer, QueueError> {
        let mut call = self.scripts.call(Verb::Bulk);
        call.arg(id).arg("stop").arg(&actor.words());
        self.bulk_answer(&call).await
    }

    /// Cancels or replays its next jobs, at most `most` and 100.
    pub async fn step_bulk(
        &self,
        id: &str,
        holder: &BulkHolder,
        most: usize,
    ) -> Result<BulkAnswer, QueueError> {
        let mut call = self.held(Verb::BulkStep, id, None, holder);
        call.arg(most);
        self.step_answer(&call).await
    }

    /// Purges these jobs of it, at most 100, each with whether its files are gone.
    pub async fn purge_bulk(
        &self,
        id: &str,
        holder: &BulkHolder,
        jobs: &[(String, bool)],
    ) -> Result<BulkAnswer, QueueError> {
        let mut call = self.held(Verb::BulkStep, id, None, holder);
        call.arg(jobs.len());
        for (job, is_gone) in jobs {
            call.arg(job).arg(if *is_gone { "gone" } else { "stay" });
        }
        self.step_answer(&call).await
    }

    /// The next jobs that it has still to do.
    pub async fn next_of_bulk(&self, id: &str, most: usize) -> Result<Vec<String>, QueueError> {
        let key = self.endpoint.keys().bulk_jobs(id);
        Ok(self.connection.clone().zrange(key, 0, most.cast_signed() - 1).await?)
    }

    /// What is known of a bulk action; `None` when there is none.
    pub async fn bulk(&self, id: &str) -> Result<Option<BulkRecord>, QueueError> {
        let key = self.endpoint.keys().bulk(id);
        let hash: HashMap<String, String> = self.connection.clone().hgetall(key).await?;
        Ok(BulkRecord::of(id, &hash))
    }

    /// The bulk actions that go on, from the first that began; at most 100.
    pub async fn open_bulks(&self) -> Result<Vec<String>, QueueError> {
        Ok(self.connection.clone().zrange(self.endpoint.keys().bulks(), 0, 99).await?)
    }

    /// The bulk actions that have ended, from the last; at most 100.
    pub async fn ended_bulks(&self) -> Result<Vec<String>, QueueError> {
        let key = self.endpoint.keys().bulks_ended();
        Ok(self.connection.clone().zrevrange(key, 0, 99).await?)
    }

    fn held(
        &self,
        verb: Verb,
        id: &str,
        step: Option<&str>,
        holder: &BulkHolder,
    ) -> ScriptInvocation<'_> {
        let mut call = self.scripts.call(verb);
        call.arg(id);
        if let Some(step) = step {
            call.arg(step);
        }
        let hold = u64::try_from(holder.hold.as_millis()).unwrap_or(u64::MAX);
        call.arg(&holder.server).arg(hold);
        call
    }

    async fn bulk_answer(&self, call: &ScriptInvocation<'_>) -> Result<BulkAnswer, QueueError> {
        let (word,): (String,) = call.invoke_async(&mut self.connection.clone()).await?;
        answer("bulk", word)
    }

    async fn step_answer(&self, call: &ScriptInvocation<'_>) -> Result<BulkAnswer, QueueError> {
        let (word, _): (String, u64) = call.invoke_async(&mut self.connection.clone()).await?;
        answer("bulk_step", word)
    }
}

fn answer(script: &'static str, word: String) -> Result<BulkAnswer, QueueError> {
    BulkAnswer::parse(&word).ok_or(QueueError::Protocol { script, answer: word })
}
