//! A queue goes in; what somebody wants to see of it at a glance comes out.

use std::time::Duration;

use queue::{History, Inspector, QueueStats, WorkerSeen};
use serde::Serialize;
use stillcast_enqueue::{JobRecord, State};

/// How far back the history reaches: by the minute.
const SPAN: Duration = Duration::from_hours(1);
/// Most running jobs that are shown.
const RUNNING: usize = 50;

/// The queue at one moment, and its last hour.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Overview {
    pub(crate) stats: QueueStats,
    pub(crate) history: History,
    pub(crate) workers: Vec<WorkerSeen>,
    /// The jobs that are worked on, at most 50.
    pub(crate) running: Vec<JobRecord>,
}

impl Overview {
    /// Four looks, one after the other.
    pub(crate) async fn of(inspector: &Inspector) -> anyhow::Result<Self> {
        let stats = inspector.forecast(inspector.stats().await?).await?;
        let history = inspector.history(SPAN).await?;
        let workers = inspector.workers().await?;
        let running = inspector.list(Some(State::Leased), RUNNING, None).await?.jobs;
        Ok(Self { stats, history, workers, running })
    }
}
