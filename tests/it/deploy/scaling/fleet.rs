//! Jobs arrive at a simulated fleet, second by second; how long they wait, and who works, comes out.
//!
//! Time is a number here. What a worker does is what a worker does: it claims for its free slots in the order
//! of arrival, and one that is taken away claims no more and ends what it has, for as long as it is let.

use std::collections::VecDeque;

use fastrand::Rng;
use queue::Demand;

/// Slots of a worker.
pub(super) const SLOTS: usize = 4;
/// Seconds until a worker that is wished for claims its first job.
const START_S: u64 = 45;
/// Seconds that a job takes: anything in this range, as often.
const JOB_S: std::ops::Range<u64> = 20..70;

struct Worker {
    claims_from: u64,
    /// Until when it may end what it has.
    leaves_by: Option<u64>,
    /// When its jobs are done.
    jobs: Vec<u64>,
}

impl Worker {
    fn is_staying(&self) -> bool {
        self.leaves_by.is_none()
    }
}

/// A queue and its workers.
pub(super) struct Fleet {
    random: Rng,
    workers: Vec<Worker>,
    /// When each job that waits has arrived.
    waiting: VecDeque<u64>,
    /// Jobs that are due, in parts.
    due: f64,
    /// Seconds that a worker may take to end what it has.
    grace_s: u64,
    /// Seconds that each job has waited for its slot, by its arrival.
    pub(super) waits: Vec<(u64, u64)>,
    /// Jobs that were cut off.
    pub(super) killed: usize,
}

impl Fleet {
    pub(super) fn new(workers: usize, grace_s: u64) -> Self {
        let worker = || Worker { claims_from: 0, leaves_by: None, jobs: Vec::new() };
        Self {
            random: Rng::with_seed(7),
            workers: std::iter::repeat_with(worker).take(workers).collect(),
            waiting: VecDeque::new(),
            due: 0.0,
            grace_s,
            waits: Vec::new(),
            killed: 0,
        }
    }

    /// One second goes by, in which so many jobs arrive.
    pub(super) fn second(&mut self, now: u64, arrivals: f64) {
        self.due += arrivals;
        while self.due >= 1.0 {
            self.due -= 1.0;
            self.waiting.push_back(now);
        }
        for worker in &mut self.workers {
            worker.jobs.retain(|done| *done > now);
        }
        let (kept, over): (Vec<Worker>, Vec<Worker>) = self
            .workers
            .drain(..)
            .partition(|one| one.leaves_by.is_none_or(|by| by > now && !one.jobs.is_empty()));
        self.workers = kept;
        self.killed += over.iter().map(|worker| worker.jobs.len()).sum::<usize>();
        self.claim(now);
    }

    /// Whoever has a free slot and was quicker, by chance.
    fn claim(&mut self, now: u64) {
        self.random.shuffle(&mut self.workers);
        let can = |one: &&mut Worker| one.is_staying() && one.claims_from <= now;
        for worker in self.workers.iter_mut().filter(can) {
            while worker.jobs.len() < SLOTS {
                let Some(arrived) = self.waiting.pop_front() else { return };
                self.waits.push((arrived, now - arrived));
                worker.jobs.push(now + self.random.u64(JOB_S));
            }
        }
    }

    /// Who stays, whether they have started or not: the size that Kubernetes sees.
    pub(super) fn size(&self) -> usize {
        self.workers.iter().filter(|one| one.is_staying()).count()
    }

    /// Of them, who has a job.
    pub(super) fn holders(&self) -> usize {
        self.workers.iter().filter(|one| one.is_staying() && !one.jobs.is_empty()).count()
    }

    /// As many from now on. Who goes, chance decides, as in a cluster.
    pub(super) fn resize(&mut self, now: u64, to: usize) {
        for _ in self.size()..to {
            let claims_from = now + START_S;
            self.workers.push(Worker { claims_from, leaves_by: None, jobs: Vec::new() });
        }
        while self.size() > to {
            let mut staying: Vec<&mut Worker> =
                self.workers.iter_mut().filter(|one| one.is_staying()).collect();
            let chosen = self.random.usize(..staying.len());
            staying[chosen].leaves_by = Some(now + self.grace_s);
        }
    }

    /// What a server reads of it.
    pub(super) fn demand(&self, now: u64) -> Demand {
        let heard = |one: &&Worker| one.is_staying() && one.claims_from <= now;
        let running = self.workers.iter().filter(|one| one.is_staying()).map(|one| one.jobs.len());
        Demand {
            waiting: self.waiting.len() as u64,
            running: running.sum::<usize>() as u64,
            holders: self.holders() as u64,
            workers: self.workers.iter().filter(heard).count() as u64,
            slots_each: Some(SLOTS as f64),
            job_s: Some((JOB_S.start + JOB_S.end) as f64 / 2.0),
            held_back: false,
        }
    }
}
