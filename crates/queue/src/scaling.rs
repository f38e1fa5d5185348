//! What waits, who works and how long jobs take lately go in; how many workers there should be comes out.
//!
//! Whoever scales a fleet by the number of jobs alone buys a slot for each of a thousand that take a second.
//! So it is counted in work: what runs goes on being served as it is, and what waits begins within a target.
//! Nothing is kept from one look to the next: a server that has just started says what any other does.

use std::time::Duration;

/// Slots of a worker where none says how many it has: the default of `MAX_PARALLEL_TASKS`.
const ASSUMED_SLOTS: f64 = 4.0;

/// The work of a queue at one moment, and who is there to do it. Workers that leave, and what they still hold,
/// are in none of it: they end by themselves, and in their place others come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Demand {
    /// Jobs that a worker could begin now: ready, or due.
    pub waiting: u64,
    /// Jobs that are worked on.
    pub running: u64,
    /// Workers that hold the lease of a job.
    pub holders: u64,
    /// Workers that are heard and stay.
    pub workers: u64,
    /// Slots of one of them, on average; `None` where none says it.
    pub slots_each: Option<f64>,
    /// How long an attempt takes lately, in seconds, on average; `None` where too little is known.
    pub job_s: Option<f64>,
    /// Whether something holds the fleet back that no further worker would cure: a provider's limit or its
    /// refusal, or a pause.
    pub held_back: bool,
}

impl Demand {
    /// How many workers there should be, so that a job that waits now begins within `target`.
    ///
    /// Never fewer than hold a lease, and while the fleet is held back no more than there are, or one: somebody
    /// must find out when that is over. Where it is not known how long jobs take, each that waits wants a slot
    /// of its own.
    pub fn replicas(&self, target: Duration) -> u64 {
        let slots = self.running as f64 + self.waiting as f64 * self.share_of_a_slot(target);
        let wanted = slots / self.slots_each.unwrap_or(ASSUMED_SLOTS).max(1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
        let wanted = wanted.ceil() as u64;
        let useful = if self.held_back { wanted.min(self.workers.max(1)) } else { wanted };
        useful.max(self.holders)
    }

    /// A slot begins a job after each that it ends: a short one takes little of it within `target`, and none
    /// takes more than all.
    fn share_of_a_slot(&self, target: Duration) -> f64 {
        self.job_s.map_or(1.0, |job_s| (job_s / target.as_secs_f64()).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_mins(2);
    /// Four workers of four slots; jobs take half a minute.
    const FLEET: Demand = Demand {
        waiting: 0,
        running: 0,
        holders: 0,
        workers: 4,
        slots_each: Some(4.0),
        job_s: Some(30.0),
        held_back: false,
    };

    fn replicas(demand: Demand) -> u64 {
        demand.replicas(TARGET)
    }

    #[test]
    fn what_runs_keeps_its_slots_and_what_waits_begins_within_the_target() {
        assert_eq!(replicas(FLEET), 0);
        assert_eq!(replicas(Demand { waiting: 1, ..FLEET }), 1);
        // A slot begins four of them in two minutes.
        assert_eq!(replicas(Demand { waiting: 64, ..FLEET }), 4);
        assert_eq!(replicas(Demand { waiting: 64, running: 16, holders: 4, ..FLEET }), 8);
    }

    #[test]
    fn a_job_never_wants_more_than_a_slot() {
        let long = Demand { waiting: 8, job_s: Some(900.0), ..FLEET };
        assert_eq!(replicas(long), 2);
        assert_eq!(replicas(Demand { job_s: None, ..long }), 2, "nor while nothing is known");
    }

    #[test]
    fn there_are_never_fewer_than_hold_a_lease() {
        let spread = Demand { running: 4, holders: 4, ..FLEET };
        assert_eq!(replicas(spread), 4);
        assert_eq!(replicas(Demand { workers: 1, held_back: true, ..spread }), 4);
    }

    #[test]
    fn what_no_worker_cures_wants_no_more_than_there_are() {
        let crowd = Demand { waiting: 9_000, running: 16, holders: 4, ..FLEET };
        assert!(replicas(crowd) > 500);
        assert_eq!(replicas(Demand { held_back: true, ..crowd }), 4);
        let lull = Demand { waiting: 1, held_back: true, ..FLEET };
        assert_eq!(replicas(lull), 1, "and fewer where fewer do");
        let nobody = Demand { workers: 0, held_back: true, ..FLEET };
        assert_eq!(replicas(Demand { waiting: 9_000, ..nobody }), 1, "somebody must ask anew");
        assert_eq!(replicas(nobody), 0);
    }

    #[test]
    fn a_fleet_that_says_nothing_of_its_slots_has_those_of_the_default() {
        assert_eq!(replicas(Demand { running: 9, slots_each: None, ..FLEET }), 3);
        assert_eq!(replicas(Demand { running: 9, slots_each: Some(0.0), ..FLEET }), 9);
    }
}
