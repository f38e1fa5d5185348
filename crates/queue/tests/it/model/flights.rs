//! Flights: who pays for a key, who waits, and who goes on when the payer leaves.

use stillcast_enqueue::State;

use super::{Answer, Flight, Job, Model, words};

/// How long an answer that is no value stays.
const MARK_MS: i64 = 60_000;

impl Model {
    pub(crate) fn join(&mut self, id: &str, token: &str, key: &str) -> Answer {
        if !self.holds(id, token) {
            return words(&["stale"]);
        }
        let job = self.job(id);
        job.awaits.remove(key);
        job.heir.retain(|known| known != key);
        if let Some(Flight::Landed { how, .. }) = self.flights.get(key) {
            return vec!["landed".to_owned(), how.clone()];
        }
        if let Some(owner) = self.owner(key).filter(|owner| owner != id) {
            self.job(id).awaits.insert(key.to_owned());
            return vec!["waiting".to_owned(), owner];
        }
        let flight = Flight::Owned { job: id.to_owned(), token: token.to_owned() };
        self.flights.insert(key.to_owned(), flight);
        add(&mut self.job(id).owns, key);
        words(&["owned"])
    }

    pub(crate) fn land(&mut self, id: &str, token: &str, key: &str, how: &str) -> Answer {
        let owner = self.owner(key);
        if !self.holds(id, token) || owner.as_deref() != Some(id) {
            return words(&["stale"]);
        }
        self.flights.remove(key);
        if how != "stored" {
            let mark = Flight::Landed { how: how.to_owned(), dies_at: self.now + MARK_MS };
            self.flights.insert(key.to_owned(), mark);
        }
        self.job(id).owns.retain(|known| known != key);
        self.wake_waiters(key);
        words(&["ok"])
    }

    /// The job that pays for `key`: alive exactly while it is leased under the flight's token.
    pub(crate) fn owner(&self, key: &str) -> Option<String> {
        match self.flights.get(key) {
            Some(Flight::Owned { job, token }) if self.holds(job, token) => Some(job.clone()),
            _ => None,
        }
    }

    /// The listed waiters of `key`, best rank first.
    pub(crate) fn waiters(&self, key: &str) -> Vec<String> {
        self.ordered(|job| job.awaits.contains(key), Job::rank)
    }

    /// The flight has an answer: all waiters look again.
    fn wake_waiters(&mut self, key: &str) {
        for id in self.waiters(key) {
            self.job(&id).awaits.remove(key);
            if self.job(&id).waits_for_a_flight() {
                self.make_ready(&id);
            }
        }
    }

    /// An owner left without landing: the best-ranked waiter that still waits goes on.
    fn unpark_heir(&mut self, key: &str) {
        self.flights.remove(key);
        for id in self.waiters(key) {
            self.job(&id).awaits.remove(key);
            if self.job(&id).waits_for_a_flight() {
                self.make_ready(&id);
                add(&mut self.job(&id).heir, key);
                return;
            }
        }
    }

    /// Out of every flight that the job owns, awaits or inherits.
    pub(crate) fn drop_flights(&mut self, id: &str) {
        let job = self.job(id);
        job.awaits.clear();
        let owned = std::mem::take(&mut job.owns);
        let inherited = std::mem::take(&mut job.heir);
        for key in owned {
            if self.owner(&key).as_deref() == Some(id) {
                self.unpark_heir(&key);
            }
        }
        for key in inherited {
            let answered = matches!(self.flights.get(&key), Some(Flight::Landed { .. }));
            if !answered && self.owner(&key).is_none() {
                self.unpark_heir(&key);
            }
        }
    }

    /// Into `ready`, at the rank that the job has kept.
    pub(crate) fn make_ready(&mut self, id: &str) {
        let job = self.job(id);
        job.enter(State::Ready);
        job.reason = None;
        job.wake_at = None;
        job.awaits.clear();
        self.wake = true;
    }
}

fn add(list: &mut Vec<String>, key: &str) {
    if !list.iter().any(|known| known == key) {
        list.push(key.to_owned());
    }
}
