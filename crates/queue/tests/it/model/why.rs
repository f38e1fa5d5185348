//! Why a job does not run, from the model alone.

use stillcast_enqueue::State;

use super::{Flight, Job, Model, Worker};
use crate::fixture::LEASE;

/// The lease of a fleet of which nobody says how it stands.
const UNSAID_LEASE: i64 = 30_000;

/// The word of the reason, how many jobs go before it where that is the reason, and whom it waits for.
pub(crate) type Reason = (&'static str, Option<u64>, Vec<String>);

impl Model {
    /// The first reason that holds.
    pub(crate) fn why(&self, id: &str) -> Reason {
        let job = &self.jobs[id];
        if job.state.is_terminal() {
            return plain("ended");
        }
        if let Some(lease) = &job.lease {
            return plain(if lease.expiry < self.now { "lease-over" } else { "running" });
        }
        if job.deadline <= self.now {
            return plain("deadline");
        }
        self.asleep(job).unwrap_or_else(|| self.awake(id, job))
    }

    fn asleep(&self, job: &Job) -> Option<Reason> {
        let due = job.wake_at.unwrap_or(job.ready_ms);
        if job.state == State::Ready || due <= self.now {
            return None;
        }
        Some(match job.reason.as_deref() {
            None if job.attempts > 0 => plain("back-off"),
            None => plain("run-at"),
            Some("flight") => ("flight", None, self.payers(job)),
            Some(_) => plain("provider"),
        })
    }

    /// Who is leased under the token of a flight that the job awaits.
    fn payers(&self, job: &Job) -> Vec<String> {
        let payer = |key: &String| match self.flights.get(key) {
            Some(Flight::Owned { job, token }) if self.holds(job, token) => Some(job.clone()),
            _ => None,
        };
        let mut payers: Vec<String> = job.awaits.iter().filter_map(payer).collect();
        payers.sort();
        payers
    }

    fn awake(&self, id: &str, job: &Job) -> Reason {
        if self.paused.is_some() {
            return plain("paused");
        }
        if self.workers.is_empty() {
            return plain("no-worker");
        }
        let said = self.workers.values().any(|worker| worker.standing.is_some());
        let lease = if said { LEASE } else { UNSAID_LEASE };
        let heard = self.workers.iter().filter(|(_, worker)| self.now - worker.seen <= lease / 2);
        let heard: Vec<_> = heard.collect();
        if heard.is_empty() {
            return plain("workers-silent");
        }
        let staying: Vec<_> = heard.into_iter().filter(|(_, worker)| !worker.draining).collect();
        if staying.is_empty() {
            return plain("workers-leaving");
        }
        let refused =
            |worker: &Worker| worker.standing.as_ref().is_some_and(|s| !s.refused.is_empty());
        let open: Vec<_> = staying.into_iter().filter(|(_, worker)| !refused(worker)).collect();
        if open.is_empty() {
            return plain("refused");
        }
        self.turn(id, job, &open, lease)
    }

    fn turn(&self, id: &str, job: &Job, open: &[(&String, &Worker)], lease: i64) -> Reason {
        let before = |other: &str| {
            let (theirs, mine) = (&self.jobs[other], job);
            let first = if mine.state == State::Ready {
                (theirs.rank(), other) < (mine.rank(), id)
            } else {
                theirs.rank() < mine.rank()
            };
            theirs.state == State::Ready && first
        };
        let ahead = self.jobs.keys().filter(|other| before(other)).count();
        let ahead = Some(u64::try_from(ahead).expect("few"));
        let is_full = |(_, worker): &(&String, &Worker)| {
            worker.standing.as_ref().is_some_and(|standing| standing.busy >= standing.slots)
        };
        if !open.iter().all(is_full) {
            return ("turn", ahead, Vec::new());
        }
        let gap = self.gap_at.is_some_and(|at| at <= self.now && self.now < at + lease);
        (if gap { "gap" } else { "slots" }, ahead, Vec::new())
    }
}

fn plain(word: &'static str) -> Reason {
    (word, None, Vec::new())
}
