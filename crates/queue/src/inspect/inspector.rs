//! A queue's address goes in; records, counts and findings of anyone who looks come out.

use std::time::Duration;

use redis::FromRedisValue;
use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::{JobRecord, RawHash};
use tokio::time::timeout;

use super::announcements::Announcements;
use super::remembered::Remembered;
use crate::QueueError;
use crate::connection::{CALL_TIMEOUT, Endpoint};
use crate::examination::ServerReport;
use crate::scripts::{Clock, Scripts};
use crate::stats::{QueueStats, name_in};
use crate::verify::{Verified, verify};

/// The fields of a job's hash that an outline is made of.
const OUTLINE: [&str; 13] = [
    "state",
    "revision",
    "reason",
    "format",
    "stage",
    "tenant",
    "priority",
    "metadata",
    "enqueued_ms",
    "ready_ms",
    "finished_ms",
    "cost",
    "error",
];

/// An operator's hands on one queue. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Inspector {
    pub(super) endpoint: Endpoint,
    pub(super) scripts: Scripts,
    pub(super) connection: SharedConnection,
    pub(super) remembered: Remembered,
}

impl Inspector {
    /// Connects; fails when Redis cannot be reached within five seconds.
    pub async fn connect(endpoint: Endpoint) -> Result<Self, QueueError> {
        Self::connect_within(endpoint, CALL_TIMEOUT).await
    }

    /// The same for whoever waits longer, or less: for a connection as long as `patience`, for each answer
    /// half of it.
    pub async fn connect_within(
        endpoint: Endpoint,
        patience: Duration,
    ) -> Result<Self, QueueError> {
        let opening = timeout(patience, endpoint.shared(patience / 2));
        let connection = opening.await.map_err(|_| silent(patience))??;
        let scripts = Scripts::new(endpoint.keys().clone(), Clock::Server);
        Ok(Self { endpoint, scripts, connection, remembered: Remembered::default() })
    }

    /// The queue's name.
    pub fn queue_name(&self) -> &str {
        name_in(self.endpoint.keys().prefix())
    }

    /// Refuses a server that would lose jobs; says what may.
    pub async fn examine(&self) -> Result<ServerReport, QueueError> {
        self.endpoint.examine(&mut self.connection.clone()).await
    }

    /// One consistent look at the whole queue, at constant cost.
    pub async fn stats(&self) -> Result<QueueStats, QueueError> {
        self.scripts.stats(&mut self.connection.clone()).await
    }

    /// Whether the queue keeps its promises; takes time in proportion to its keys, and locks nothing.
    pub async fn verify(&self) -> Result<Verified, QueueError> {
        verify(&self.scripts, &mut self.connection.clone()).await
    }

    /// The records of `ids`, in order; `None` for an unknown or purged one.
    pub async fn records(
        &self,
        ids: &[impl AsRef<str>],
    ) -> Result<Vec<Option<JobRecord>>, QueueError> {
        let ask = |key: String| redis::Cmd::hgetall(key);
        let hashes: Vec<RawHash> = self.each_job(ids, ask).await?;
        Ok(ids
            .iter()
            .zip(hashes)
            .map(|(id, hash)| JobRecord::from_raw(id.as_ref(), &hash))
            .collect())
    }

    /// The records of `ids` in outline, in order, at a third of the cost: state, reason, revision,
    /// format, stage, tenant, priority, metadata, cost, error, and when it was accepted and ended. The
    /// other fields are as if nothing were known of them.
    pub async fn outlines(
        &self,
        ids: &[impl AsRef<str>],
    ) -> Result<Vec<Option<JobRecord>>, QueueError> {
        let ask = |key: String| redis::Cmd::hmget(key, &OUTLINE[..]);
        let values: Vec<Vec<Option<Vec<u8>>>> = self.each_job(ids, ask).await?;
        let outline = |(id, values): (&_, Vec<_>)| {
            let fields = OUTLINE.into_iter().zip(values);
            let known = fields.filter_map(|(field, value)| Some((field.into(), value?)));
            JobRecord::from_raw(AsRef::<str>::as_ref(id), &known.collect())
        };
        Ok(ids.iter().zip(values).map(outline).collect())
    }

    /// What Redis answers to one command about each job's hash, in one round trip.
    async fn each_job<T: FromRedisValue>(
        &self,
        ids: &[impl AsRef<str>],
        ask: impl Fn(String) -> redis::Cmd,
    ) -> Result<Vec<T>, QueueError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for id in ids {
            pipeline.add_command(ask(self.endpoint.keys().job(id.as_ref())));
        }
        Ok(pipeline.query_async(&mut self.connection.clone()).await?)
    }

    /// The record of `id`; `None` when there is none.
    pub async fn record(&self, id: &str) -> Result<Option<JobRecord>, QueueError> {
        Ok(self.records(&[id]).await?.pop().flatten())
    }

    /// Hears every change of a job from now on; a hint, so look again each second all the same.
    pub async fn announcements(&self) -> Result<Announcements, QueueError> {
        let opening = timeout(CALL_TIMEOUT, Announcements::open(&self.endpoint));
        opening.await.map_err(|_| silent(CALL_TIMEOUT))?
    }
}

fn silent(patience: Duration) -> QueueError {
    let text = format!("no answer within {} s", patience.as_secs());
    std::io::Error::new(std::io::ErrorKind::TimedOut, text).into()
}
