//! The verbs of people and of workers that leave: cancel, replay, purge, pause, drain.

use stillcast_enqueue::{StageName, State};

use super::{Answer, Body, Job, Line, Model, words};

/// Whether a field is a checkpoint of a stage that is made anew from another one on.
fn is_made_anew(field: &str, from: StageName) -> bool {
    use StageName::{Collection, Image, Transcript, Tts};
    match field {
        "checkpoint:transcript" => matches!(from, Collection | Transcript),
        "checkpoint:tts" | "checkpoint:passage-0a" => matches!(from, Collection | Transcript | Tts),
        "checkpoint:image" => matches!(from, Collection | Image),
        "checkpoint:delivery" => true,
        _ => false,
    }
}

impl Model {
    /// The transition `cancel`.
    pub(crate) fn cancel(&mut self, id: &str) -> Answer {
        let Some(job) = self.jobs.get_mut(id) else { return words(&["unknown"]) };
        if let Some(lease) = &mut job.lease {
            if !std::mem::replace(&mut lease.cancel, true) {
                self.audited("cancel", "cancelling", id);
            }
            return words(&["cancelling"]);
        }
        if job.state.is_terminal() {
            return words(&["already", job.state.as_str()]);
        }
        self.leave_waiting(id);
        self.finish(id, State::Cancelled);
        self.audited("cancel", "cancelled", id);
        words(&["cancelled"])
    }

    /// The transition `replay`; from a stage on, what that stage and those built on it have kept goes.
    pub(crate) fn replay(&mut self, id: &str, from: Option<StageName>) -> Answer {
        let now = self.now;
        let Some(job) = self.jobs.get(id) else { return words(&["unknown"]) };
        if job.state != State::Dead {
            return words(&["not-dead", job.state.as_str()]);
        }
        if job.body.is_none() {
            return words(&["body-gone"]);
        }
        if let Some(key) = &job.key {
            let key = (job.tenant.clone(), key.clone());
            let holder = self.idempotency.entry(key).or_insert_with(|| id.to_owned());
            if holder != id {
                return words(&["duplicate", holder]);
            }
        }
        self.trash.remove(&format!("{}/{id}", self.jobs[id].tenant));
        let ahead = self.rank_clock();
        let job = self.job(id);
        job.ranked = (ahead > 0).then_some(now + ahead);
        (job.attempts, job.crashes, job.stalls, job.interruptions) = (0, 0, 0, 0);
        (job.started, job.finished, job.body) = (None, None, Some(Body::Kept));
        job.notes.retain(|field, _| {
            let is_reset = ["error", "percent", "stage"].contains(&field.as_str());
            !is_reset && !from.is_some_and(|from| is_made_anew(field, from))
        });
        job.ready_ms = now;
        job.deadline = now + job.deadline_len;
        self.make_ready(id);
        self.audited("replay", "ready", id);
        self.audit.last_mut().expect("its line").changes = from.map(|from| format!("from {from}"));
        words(&["ready"])
    }

    pub(crate) fn purge(&mut self, id: &str) -> Answer {
        let Some(job) = self.jobs.get(id) else { return words(&["unknown"]) };
        if !job.state.is_terminal() {
            return words(&["not-ended", job.state.as_str()]);
        }
        self.audited("purge", "purged", id);
        self.forget(id, false);
        words(&["purged"])
    }

    /// What a person has done to a job; to the queue as a whole when there is none by this name.
    pub(super) fn audited(&mut self, action: &'static str, result: &'static str, id: &str) {
        let tenant = self.jobs.get(id).map_or_else(String::new, |job| job.tenant.clone());
        let (job, at, changes) = (id.to_owned(), self.now, None);
        self.audit.push(Line { action, result, job, tenant, at, changes });
    }

    /// The record goes; what is still owed goes only with a purge.
    pub(crate) fn forget(&mut self, id: &str, outlived: bool) {
        self.forget_webhook(id, outlived);
        let (folder, now) = (format!("{}/{id}", self.jobs[id].tenant), self.now);
        self.trash.entry(folder).and_modify(|due| *due = now.min(*due));
        self.free_key(id);
        self.jobs.remove(id);
        self.purged += 1;
    }

    pub(crate) fn pause(&mut self, pause: bool) -> Answer {
        let changes = self.paused.is_some() != pause;
        if pause {
            self.paused.get_or_insert(self.now);
            if changes {
                self.audited("pause", "paused", "");
            }
        } else {
            self.paused = None;
            let woken = self.wake_refused();
            if changes || woken > 0 {
                self.audited("resume", if changes { "resumed" } else { "probed-anew" }, "");
            }
            self.wake |= self.count(State::Ready) > 0;
        }
        words(&[if changes { "1" } else { "0" }])
    }

    /// Those that were refused are due at once; how many were not before.
    fn wake_refused(&mut self) -> usize {
        let now = self.now;
        let is_refused = |job: &&mut Job| {
            job.state == State::Parked && job.reason.as_deref() == Some("provider")
        };
        let mut woken = 0;
        for job in self.jobs.values_mut().filter(is_refused) {
            woken += usize::from(job.wake_at.is_some_and(|at| at > now));
            job.wake_at = job.wake_at.map(|at| at.min(now));
        }
        woken
    }

    /// A worker leaves, or has left.
    pub(crate) fn drain(&mut self, worker: &str, step: &str) -> Answer {
        if step == "leaving" {
            self.seen(worker);
            self.workers.get_mut(worker).expect("just seen").draining = true;
            return words(&["0"]);
        }
        let unbegun = |id: &String| {
            let lease = self.jobs[id].lease.as_ref();
            lease.is_some_and(|lease| !lease.begun && lease.worker == worker)
        };
        let claimed = self.leased_by(worker, |_| true);
        let returned: Vec<String> = claimed.into_iter().filter(unbegun).collect();
        for id in &returned {
            if let Some(state) = self.overruled(id) {
                self.end(id, state);
            } else {
                self.leave_leased(id);
                self.make_ready(id);
            }
        }
        self.workers.remove(worker);
        words(&[&returned.len().to_string()])
    }
}
