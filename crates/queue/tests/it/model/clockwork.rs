//! What time alone decides: promotion, expiry, leases that run out, the gap rule, retention.

use stillcast_enqueue::State;

use super::{Job, Model};
use crate::fixture::{LEASE, Reap};

/// A worker that was not seen for so many leases is gone.
const GONE_AFTER_LEASES: i64 = 60;

impl Model {
    /// The transitions `reap`, `promote`, `unpark` and `expire`, and retention.
    pub(crate) fn reap(&mut self, everything: bool) -> Reap {
        let minute = |at: i64| at.div_euclid(60_000);
        let is_new_minute = minute(self.now) != minute(self.reap_at.unwrap_or_default());
        let gap = self.gap_holds();
        self.shorten_leases();
        let over = if everything || !gap { self.leases_over(everything) } else { Vec::new() };
        let crashes = over.iter().filter(|id| self.reap_job(id)).count();
        self.promote_due();
        let expired = self.expire_waiting();
        let now = self.now;
        if is_new_minute {
            self.workers.retain(|_, worker| now - worker.seen <= GONE_AFTER_LEASES * LEASE);
        }
        let purged = self.retain_all();
        let number = |count: usize| i64::try_from(count).expect("a small number");
        Reap {
            leases: number(over.len()),
            crashes: number(crashes),
            expired: number(expired),
            purged: number(purged),
            gap: i64::from(gap),
            // Few jobs: one call is always enough.
            more: 0,
            next_due: self.next_due(),
        }
    }

    /// Nobody reaped for more than half a lease, or the clock went back: nothing is reaped for one
    /// lease. At most one gap in twenty leases; a first look is no gap.
    fn gap_holds(&mut self) -> bool {
        let now = self.now;
        let last = self.reap_at.replace(now);
        let age = self.gap_at.map(|gap| now - gap).filter(|age| *age >= 0);
        let rare = age.is_none_or(|age| age > 20 * LEASE);
        let stalled = last.is_some_and(|last| now - last > LEASE / 2 || now < last);
        if stalled && rare {
            self.gap_at = Some(now);
            return true;
        }
        age.is_some_and(|age| age < LEASE)
    }

    /// After the clock was set back no lease lasts longer than one given now.
    fn shorten_leases(&mut self) {
        let most = self.now + LEASE;
        for lease in self.jobs.values_mut().filter_map(|job| job.lease.as_mut()) {
            lease.expiry = lease.expiry.min(most);
        }
    }

    fn leases_over(&self, everything: bool) -> Vec<String> {
        let expiry = |job: &Job| job.lease.as_ref().map_or(i64::MAX, |lease| lease.expiry);
        self.ordered(|job| job.lease.is_some() && (everything || expiry(job) < self.now), expiry)
    }

    /// Whether it was a crash.
    fn reap_job(&mut self, id: &str) -> bool {
        let crash = self.is_crash(id);
        if let Some(state) = self.overruled(id) {
            self.end(id, state);
        } else if crash {
            self.crashed(id, self.limits.worker_deaths, "crashed");
        } else {
            self.interrupted(id);
        }
        crash
    }

    /// Begun, seen alive under this lease after the last gap, by a worker that announced no leaving.
    fn is_crash(&self, id: &str) -> bool {
        let lease = self.jobs[id].lease.as_ref().expect("it is leased");
        let renewed = lease.expiry - LEASE;
        let before_gap = self.gap_at.is_some_and(|gap| gap <= self.now && renewed <= gap);
        let stays = self.workers.get(&lease.worker).is_some_and(|worker| !worker.draining);
        lease.begun && !before_gap && stays
    }

    /// The transitions `promote` and `unpark`.
    pub(crate) fn promote_due(&mut self) {
        for state in [State::Delayed, State::Parked] {
            let due = |job: &Job| job.wake_at.unwrap_or(job.ready_ms);
            let over = self.ordered(|job| job.state == state && due(job) <= self.now, due);
            let ahead =
                if state == State::Delayed && !over.is_empty() { self.rank_clock() } else { 0 };
            for id in over {
                let job = self.job(&id);
                if job.fence == 0 && ahead > 0 {
                    job.ranked = Some(job.ready_ms + ahead);
                }
                self.make_ready(&id);
            }
        }
    }

    /// The transition `expire`, for all that waits.
    fn expire_waiting(&mut self) -> usize {
        let is_over = |job: &Job| job.deadline <= self.now;
        let listed = |job: &Job| job.is_among_deadlines() && is_over(job);
        let mut over = self.ordered(listed, |job| job.deadline);
        let old = |job: &Job| job.state == State::Ready && !listed(job) && is_over(job);
        over.extend(self.ordered(old, Job::rank));
        for id in &over {
            self.leave_waiting(id);
            self.finish(id, State::Expired);
        }
        over.len()
    }

    fn retain_all(&mut self) -> usize {
        let (live, most) = (self.limits.records_live, self.limits.max_records);
        let (dead_live, max_dead) = (self.limits.dead_live, self.limits.max_dead);
        [State::Done, State::Cancelled, State::Expired, State::Dead]
            .map(|state| {
                let dead = state == State::Dead;
                let (live, most) = if dead { (dead_live, max_dead) } else { (live, most) };
                let live = i64::try_from(live.as_millis()).expect("a span");
                self.retain(state, live, usize::try_from(most).expect("a number"))
            })
            .iter()
            .sum()
    }

    /// Ends what is too old; only when nothing is, what is too much.
    fn retain(&mut self, state: State, live: i64, most: usize) -> usize {
        let finished = |job: &Job| job.finished.unwrap_or_default();
        let mut over =
            self.ordered(|job| job.state == state && finished(job) <= self.now - live, finished);
        if over.is_empty() {
            over = self.ordered(|job| job.state == state, finished);
            over.truncate(over.len().saturating_sub(most));
        }
        for id in &over {
            self.forget(id, true);
        }
        over.len()
    }
}
