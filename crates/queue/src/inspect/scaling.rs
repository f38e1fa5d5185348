//! A look at a queue goes in; its demand of workers comes out.

use std::collections::HashMap;

use redis::AsyncCommands;
use stillcast_enqueue::State;

use super::forecast::can_be_heard;
use super::inspector::Inspector;
use super::waits::Wait;
use crate::scaling::Demand;
use crate::{QueueError, QueueStats, WorkerSeen};

/// Jobs that one call reads.
const A_CALL: usize = 500;

impl Inspector {
    /// The demand of workers that goes with this look at the queue, and at what waits in it.
    pub async fn demand(&self, stats: &QueueStats, waits: &[Wait]) -> Result<Demand, QueueError> {
        let workers = self.workers().await?;
        let leases = self.leases().await?;
        let expectations = self.expectations().await?;
        let fleet = Fleet::of(&workers, stats);
        let stays = |name: &&String| !fleet.leaves(name);
        let held = leases.iter().filter(|(name, _)| stays(name));
        let (holders, running) = held.fold((0, 0), |(all, jobs), (_, more)| (all + 1, jobs + more));
        Ok(Demand {
            waiting: stats.depth + stats.due_delayed + stats.due_parked,
            running,
            holders,
            workers: fleet.staying,
            slots_each: fleet.slots_each,
            job_s: expectations.attempt_s(),
            held_back: stats.paused || fleet.is_refused || fleet.is_limited(stats, waits),
        })
    }

    /// How many jobs each worker holds: there are as many as the fleet has slots.
    async fn leases(&self) -> Result<HashMap<String, u64>, QueueError> {
        let keys = self.endpoint.keys();
        let mut connection = self.connection.clone();
        let ids: Vec<String> = connection.zrange(keys.named("leased"), 0, -1).await?;
        let mut leases = HashMap::new();
        for ids in ids.chunks(A_CALL) {
            let mut pipeline = redis::pipe();
            for id in ids {
                pipeline.hget(keys.job(id), "worker");
            }
            let workers: Vec<Option<String>> = pipeline.query_async(&mut connection).await?;
            // Whoever has none has ended meanwhile.
            for worker in workers.into_iter().flatten() {
                *leases.entry(worker).or_default() += 1;
            }
        }
        Ok(leases)
    }
}

/// Those who could begin jobs.
struct Fleet<'workers> {
    workers: &'workers [WorkerSeen],
    /// How many are heard and stay.
    staying: u64,
    /// What they say of their slots.
    slots_each: Option<f64>,
    /// All of their slots.
    slots: u64,
    /// Whether a provider refuses all of them.
    is_refused: bool,
}

impl<'workers> Fleet<'workers> {
    fn of(workers: &'workers [WorkerSeen], stats: &QueueStats) -> Self {
        let stays = |worker: &&WorkerSeen| can_be_heard(worker, stats.at) && !worker.draining;
        let staying: Vec<&WorkerSeen> = workers.iter().filter(stays).collect();
        let told: Vec<u64> = staying.iter().filter_map(|worker| worker.slots).collect();
        let slots: u64 = told.iter().sum();
        Self {
            workers,
            staying: staying.len() as u64,
            slots_each: (!told.is_empty()).then(|| slots as f64 / told.len() as f64),
            slots,
            is_refused: !staying.is_empty() && staying.iter().all(|one| one.refused.is_some()),
        }
    }

    fn leaves(&self, name: &str) -> bool {
        self.workers.iter().any(|worker| worker.name == name && worker.draining)
    }

    /// Whether a provider's limits hold back more jobs than the fleet could do at once: they all wait for a
    /// moment to come, and whoever came in addition would wait with them.
    fn is_limited(&self, stats: &QueueStats, waits: &[Wait]) -> bool {
        let is_it = |wait: &&Wait| wait.state == State::Parked && wait.reason == "rate";
        let limited: u64 = waits.iter().filter(is_it).map(|wait| wait.jobs).sum();
        limited.saturating_sub(stats.due_parked) > self.slots
    }
}
