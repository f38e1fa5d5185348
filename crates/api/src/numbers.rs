//! A queue goes in; all that is told of it as a whole comes out, as it was at one moment.

use queue::{Inspector, QueueError, QueueStats, ServerNumbers, Wait};
use stillcast_enqueue::State;
use telemetry::Depth;

/// The numbers of the queue.
pub(crate) struct Numbers {
    pub(crate) stats: QueueStats,
    /// One for each of `queue::WAITS`.
    pub(crate) waits: Vec<Wait>,
    /// `None` where Redis does not tell us.
    pub(crate) server: Option<ServerNumbers>,
}

/// What is told beside.
pub(crate) struct Beside {
    /// Workers that there should be.
    pub(crate) desired_replicas: u64,
    /// Jobs that are followed at this server.
    pub(crate) watched: usize,
    /// Jobs that a filter looks at, at this server.
    pub(crate) searched: usize,
}

impl Numbers {
    pub(crate) async fn read(inspector: &Inspector) -> Result<Self, QueueError> {
        Self::at(inspector, inspector.stats().await?).await
    }

    /// Those that go with this look at the queue.
    pub(crate) async fn at(inspector: &Inspector, stats: QueueStats) -> Result<Self, QueueError> {
        let waits = inspector.waits(&stats).await?;
        let server = inspector.server_numbers().await?;
        Ok(Self { stats, waits, server })
    }

    /// The oldest in `state` that waits for one of `reasons`, in seconds.
    pub(crate) fn oldest_s(&self, state: State, reasons: &[&str]) -> f64 {
        let of = |wait: &&Wait| wait.state == state && reasons.contains(&wait.reason);
        self.waits.iter().filter(of).map(|wait| wait.oldest_s).fold(0.0, f64::max)
    }

    /// `OpenMetrics` text, with what this server has to tell beside.
    pub(crate) fn page(&self, beside: &Beside) -> String {
        let stats = &self.stats;
        let waits = self.waits.iter().map(|wait| {
            let Wait { state, reason, jobs, oldest_s } = *wait;
            (state.as_str(), reason, jobs, oldest_s)
        });
        let mut counters = vec![
            ("enqueued_jobs", "Jobs ever accepted", stats.enqueued),
            ("purged_jobs", "Records ever removed", stats.purged),
        ];
        let commands = "Commands that the queue's Redis has served";
        counters.extend(self.server.map(|server| ("redis_commands", commands, server.commands)));
        Depth {
            queue: &stats.queue,
            jobs: &State::ALL.map(|state| (state.as_str(), stats.states.of(state))),
            oldest_ready_age_s: stats.oldest_s.unwrap_or(0.0),
            waits: &waits.collect::<Vec<_>>(),
            gauges: &self.gauges(beside),
            counters: &counters,
        }
        .encode()
    }

    fn gauges(&self, beside: &Beside) -> Vec<(&'static str, &'static str, u64)> {
        let stats = &self.stats;
        let mut gauges = vec![
            ("due_delayed_jobs", "Delayed jobs whose time has come", stats.due_delayed),
            ("due_parked_jobs", "Parked jobs whose time has come", stats.due_parked),
            ("workers", "Workers that have signed on and not off", stats.workers),
            ("trash_folders", "Work folders that wait for the janitor", stats.trash),
            ("paused", "1 while claims are stopped", stats.paused.into()),
            ("desired_replicas", "Workers that there should be", beside.desired_replicas),
            ("watched_jobs", "Jobs that somebody follows at this server", beside.watched as u64),
            (
                "searched_jobs",
                "Jobs that a filter looks at, at this server",
                beside.searched as u64,
            ),
        ];
        if let Some(server) = self.server {
            gauges.extend([
                ("redis_used_memory_bytes", "Memory of the queue's Redis", server.used_bytes),
                ("redis_max_memory_bytes", "What it may use; 0 for all", server.max_bytes),
                ("redis_clients", "Connections to it", server.clients),
            ]);
        }
        gauges
    }
}
