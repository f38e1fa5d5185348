//! The verbs of producers and of workers under a lease, and the ways into a terminal state.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use stillcast_enqueue::State;

use super::{Answer, BETWEEN, Body, Job, Lease, Model, words};
use crate::fixture::{DEFAULT_DEADLINE, LEASE, RECEIVER, Request, Standing, Words};

/// How long the request of a dead job lives.
const BODY_OF_DEAD_MS: i64 = 7 * 24 * 3_600_000;
/// Idle workers look again every 2.9 s: later work need not wake them.
const SOON_MS: i64 = 2_500;

impl Model {
    /// The transition `enqueue`.
    pub(crate) fn enqueue(&mut self, requests: &[Request]) -> Answer {
        requests.iter().flat_map(|request| self.enqueue_one(request)).collect()
    }

    fn enqueue_one(&mut self, request: &Request) -> Answer {
        let begin = self.now.max(request.run_at);
        let deadline =
            if request.deadline > 0 { request.deadline } else { begin + DEFAULT_DEADLINE };
        let key = (!request.key.is_empty()).then(|| request.key.clone());
        let holder = key
            .as_ref()
            .and_then(|key| self.idempotency.get(&(request.tenant.clone(), key.clone())));
        let known = Some(&request.id).filter(|id| self.jobs.contains_key(*id)).or(holder);
        if let Some(known) = known.cloned() {
            let job = &self.jobs[&known];
            let word = if self.says(&job.request) == self.says(&request.body) {
                "duplicate"
            } else {
                "mismatch"
            };
            return words(&[word, &known, job.state.as_str()]);
        }
        if deadline <= begin {
            return words(&["deadline-passed", &request.id, ""]);
        }
        if let Some(key) = &key {
            self.idempotency.insert((request.tenant.clone(), key.clone()), request.id.clone());
        }
        let state = if begin > self.now { State::Delayed } else { State::Ready };
        let ahead = self.rank_clock();
        let job = created(self.now, request, state, begin, deadline);
        self.jobs.insert(request.id.clone(), job);
        if state == State::Ready && ahead > 0 {
            self.job(&request.id).ranked = Some(begin + ahead);
        }
        self.enqueued += 1;
        self.wake |= begin <= self.now + SOON_MS;
        words(&["created", &request.id, state.as_str()])
    }

    fn says(&self, body: &str) -> &str {
        &self.digests[body]
    }

    /// The transition `claim`.
    pub(crate) fn claim(&mut self, worker: &str, nonce: &str, held: usize, free: usize) -> Answer {
        let again = self.leased_by(worker, |claim| claim == nonce);
        if !again.is_empty() {
            let told = again.iter().map(|id| self.told(id, self.render_job(&self.jobs[id])));
            return self.claimed(told.collect());
        }
        self.promote_due();
        if self.paused.is_some() {
            return vec!["paused".to_owned(), self.next_due().to_string()];
        }
        let most = self.share(free);
        let (mut ids, mut told) = (Vec::new(), Vec::new());
        while ids.len() < most
            && let Some(id) = self.runnable_head()
        {
            let known = self.known(&self.jobs[&id]);
            self.lease(&id, worker, nonce);
            told.push(self.told(&id, known));
            ids.push(id);
        }
        self.wake |= !self.ready().is_empty();
        if ids.is_empty() {
            return vec!["empty".to_owned(), self.next_due().to_string()];
        }
        self.sign(worker, nonce, held, &ids);
        self.claimed(told)
    }

    /// One a free slot, and no more than what waits divided by the workers; at least one.
    fn share(&self, free: usize) -> usize {
        let fair = self.ready().len().div_ceil(self.workers.len().max(1));
        fair.min(free).clamp(1, 20)
    }

    /// The jobs that are still leased by those of the worker's latest claims that `which` names.
    pub(crate) fn leased_by(&self, worker: &str, which: impl Fn(&str) -> bool) -> Vec<String> {
        let is_open = |id: &&String, claim: &str| {
            let token = self.jobs.get(*id).and_then(Job::token);
            token.and_then(|token| token.split_once(':')).is_some_and(|(_, nonce)| nonce == claim)
        };
        let claims = self.workers.get(worker).map(|line| line.claims.as_slice());
        let claims = claims.unwrap_or_default().iter().filter(|(nonce, _)| which(nonce));
        let leased = |(nonce, ids): &(String, Vec<String>)| {
            ids.iter().filter(|id| is_open(id, nonce)).cloned().collect::<Vec<_>>()
        };
        claims.flat_map(leased).collect()
    }

    /// The best of those that are ready; what is over its deadline is ended on the way.
    fn runnable_head(&mut self) -> Option<String> {
        loop {
            let id = self.ready().into_iter().next()?;
            if self.job(&id).deadline > self.now {
                return Some(id);
            }
            self.leave_waiting(&id);
            self.finish(&id, State::Expired);
        }
    }

    fn lease(&mut self, id: &str, worker: &str, nonce: &str) {
        let (expiry, worker) = (self.now + LEASE, worker.to_owned());
        let job = self.job(id);
        job.fence += 1;
        job.enter(State::Leased);
        let token = format!("{}:{nonce}", job.fence);
        job.lease = Some(Lease { token, worker, expiry, begun: false, cancel: false });
    }

    /// The worker's line tells of its claim.
    fn sign(&mut self, worker: &str, nonce: &str, held: usize, ids: &[String]) {
        self.seen(worker);
        let line = self.workers.get_mut(worker).expect("just seen");
        line.claims.insert(0, (nonce.to_owned(), ids.to_vec()));
        line.claims.truncate(4);
        if let Some(standing) = &mut line.standing {
            standing.busy = i64::try_from(held + ids.len()).expect("few");
        }
    }

    fn claimed(&self, told: Vec<String>) -> Answer {
        let mut answer = vec!["jobs".to_owned(), self.next_due().to_string()];
        answer.extend(told);
        answer
    }

    /// What a claim tells of the job's hash: what an attempt needs of one that was never leased.
    fn known(&self, job: &Job) -> BTreeMap<String, String> {
        let mut fields = self.render_job(job);
        fields.retain(|name, _| job.fence > 0 || ["tenant", "ready_ms"].contains(&name.as_str()));
        fields
    }

    fn told(&self, id: &str, known: BTreeMap<String, String>) -> String {
        let job = &self.jobs[id];
        let body = if job.body.is_some() { job.request.as_str() } else { "" };
        let left = (job.deadline - self.now).to_string();
        let mut told = words(&[id, job.token().expect("leased"), body, &left]);
        told.extend(known.into_iter().flat_map(|(field, value)| [field, value]));
        told.join(BETWEEN)
    }

    pub(crate) fn begin(&mut self, id: &str, token: &str) -> Answer {
        if !self.holds(id, token) {
            return words(&["stale"]);
        }
        let now = self.now;
        let job = self.job(id);
        job.lease.as_mut().expect("held").begun = true;
        job.started.get_or_insert(now);
        words(&["ok"])
    }

    /// The transition `renew`.
    pub(crate) fn renew(
        &mut self,
        worker: &str,
        standing: &Standing,
        held: &[(String, String)],
    ) -> Answer {
        self.seen(worker);
        let probe = if standing.refused.is_empty() { 0 } else { self.now + standing.probe };
        let line = self.workers.get_mut(worker).expect("just seen");
        line.standing = Some(Standing { probe, ..standing.clone() });
        let until = self.now + LEASE;
        let answer = held.iter().map(|(id, token)| {
            if !self.holds(id, token) {
                return "stale".to_owned();
            }
            let lease = self.jobs.get_mut(id).and_then(|job| job.lease.as_mut()).expect("held");
            lease.expiry = until;
            if lease.cancel { "cancel".to_owned() } else { "ok".to_owned() }
        });
        answer.collect()
    }

    pub(crate) fn seen(&mut self, worker: &str) {
        let now = self.now;
        self.workers.entry(worker.to_owned()).or_default().seen = now;
    }

    /// The transition `checkpoint`.
    pub(crate) fn checkpoint(&mut self, id: &str, token: &str, name: &str, digest: &str) -> Answer {
        if !self.holds(id, token) {
            return words(&["stale"]);
        }
        let job = self.job(id);
        if let Entry::Vacant(new) = job.notes.entry(format!("checkpoint:{name}")) {
            new.insert(digest.to_owned());
            (job.crashes, job.stalls) = (0, 0);
        }
        words(&["ok"])
    }

    pub(crate) fn progress(&mut self, id: &str, token: &str, stage: &str, percent: &str) -> Answer {
        if !self.holds(id, token) {
            return words(&["stale"]);
        }
        self.job(id).notes.insert("stage".to_owned(), stage.to_owned());
        self.job(id).notes.insert("percent".to_owned(), percent.to_owned());
        self.job(id).revision += 1;
        words(&["ok"])
    }

    /// The transitions `done`, `retry`, `park`, `dead`, `release` and `crash`.
    pub(crate) fn report(&mut self, id: &str, token: &str, report: &Words) -> Answer {
        let line = format!("{token}:{}", report.outcome);
        if !self.holds(id, token) {
            let job = self.jobs.get(id);
            let delivered = job.and_then(|job| job.delivered.as_ref());
            if report.outcome == "done" && delivered.is_some_and(|lease| lease.token == token) {
                return words(&["accepted", "done"]);
            }
            let last = job.and_then(|job| job.last_report.as_ref());
            if let Some((_, state)) = last.filter(|(known, _)| *known == line) {
                return words(&["accepted", state.as_str()]);
            }
            return words(&["stale", job.map_or("", |job| job.state.as_str())]);
        }
        let overrule = self.overruled(id).filter(|_| report.outcome != "done");
        let in_vain = |key: &String| self.owner(key).is_none_or(|owner| owner == id);
        if overrule.is_none() && report.outcome == "park" && report.flights.iter().any(in_vain) {
            return words(&["go-on", ""]);
        }
        self.end_attempt(id, report, overrule);
        let state = self.job(id).state;
        self.job(id).last_report = (state != State::Done).then_some((line, state));
        words(&["accepted", state.as_str()])
    }

    /// Reports, then a claim.
    pub(crate) fn exchange(
        &mut self,
        reports: &[(String, String, Words)],
        (worker, nonce): (&str, &str),
        (held, free): (usize, usize),
    ) -> Answer {
        let mut answer = Answer::new();
        for (id, token, words) in reports {
            answer.extend(self.report(id, token, words));
        }
        answer.extend(self.claim(worker, nonce, held, free));
        answer
    }

    fn end_attempt(&mut self, id: &str, report: &Words, overrule: Option<State>) {
        if report.outcome == "done" {
            self.note(id, "artifact", report.artifact);
            self.note(id, "percent", "100");
            self.job(id).notes.remove("error");
        } else {
            self.note(id, "error", report.error);
        }
        if let Some(state) = overrule {
            return self.end(id, state);
        }
        match report.outcome {
            "done" => {
                let lease = self.job(id).lease.clone();
                self.job(id).delivered = lease.map(|lease| Lease { cancel: false, ..lease });
                self.end(id, State::Done);
            }
            "dead" => self.end(id, State::Dead),
            "retry" => self.retry(id, report.delay),
            "park" => self.park(id, report),
            "crash" => self.crashed(id, self.limits.crashes, report.error),
            _ => self.interrupted(id),
        }
    }

    fn retry(&mut self, id: &str, delay: i64) {
        let wake_at = self.now + delay;
        let job = self.job(id);
        job.attempts += 1;
        if job.attempts >= job.max_attempts {
            return self.end(id, State::Dead);
        }
        self.leave_leased(id);
        self.job(id).enter(State::Delayed);
        self.job(id).wake_at = Some(wake_at);
    }

    fn park(&mut self, id: &str, report: &Words) {
        self.leave_leased(id);
        let wake_at = self.now + report.delay;
        let job = self.job(id);
        job.enter(State::Parked);
        job.reason = Some(report.reason.to_owned());
        job.wake_at = Some(wake_at);
        job.awaits.extend(report.flights.iter().cloned());
    }

    /// The third time without a checkpoint is the end.
    pub(crate) fn crashed(&mut self, id: &str, most: u32, error: &str) {
        self.job(id).crashes += 1;
        if self.job(id).crashes >= i64::from(most) {
            self.note(id, "error", error);
            return self.end(id, State::Dead);
        }
        self.leave_leased(id);
        self.make_ready(id);
    }

    /// A stay under a lease that brought nothing: too many of them are the end.
    pub(crate) fn interrupted(&mut self, id: &str) {
        let most = i64::from(self.limits.interruptions);
        let job = self.job(id);
        job.interruptions += 1;
        job.stalls += 1;
        if job.stalls >= most {
            self.note(id, "error", "no-progress");
            return self.end(id, State::Dead);
        }
        self.leave_leased(id);
        self.make_ready(id);
    }

    /// Cancel flag first, then deadline.
    pub(crate) fn overruled(&self, id: &str) -> Option<State> {
        let job = &self.jobs[id];
        if job.lease.as_ref().is_some_and(|lease| lease.cancel) {
            return Some(State::Cancelled);
        }
        (job.deadline <= self.now).then_some(State::Expired)
    }

    /// Out of `leased`, into a terminal state.
    pub(crate) fn end(&mut self, id: &str, state: State) {
        self.leave_leased(id);
        self.finish(id, state);
    }

    pub(crate) fn leave_leased(&mut self, id: &str) {
        self.drop_flights(id);
        self.job(id).lease = None;
    }

    pub(crate) fn leave_waiting(&mut self, id: &str) {
        self.drop_flights(id);
    }

    pub(crate) fn finish(&mut self, id: &str, state: State) {
        let now = self.now;
        let job = self.job(id);
        job.enter(state);
        job.finished = Some(now);
        job.reason = None;
        job.wake_at = None;
        let dies_at = now + BODY_OF_DEAD_MS;
        let dead = state == State::Dead;
        job.body = job.body.filter(|_| dead).map(|_| Body::DiesAt(dies_at));
        if state != State::Done {
            self.free_key(id);
        }
        self.discard_work(id, if dead { dies_at } else { now });
        self.owe_webhook(id);
    }

    pub(crate) fn discard_work(&mut self, id: &str, due: i64) {
        self.trash.insert(format!("{}/{id}", self.jobs[id].tenant), due);
    }

    /// The key goes only while it names this job.
    pub(crate) fn free_key(&mut self, id: &str) {
        let job = &self.jobs[id];
        let Some(key) = job.key.clone() else { return };
        let key = (job.tenant.clone(), key);
        if self.idempotency.get(&key).is_some_and(|holder| holder == id) {
            self.idempotency.remove(&key);
        }
    }

    fn note(&mut self, id: &str, field: &str, value: &str) {
        if !value.is_empty() {
            self.job(id).notes.insert(field.to_owned(), value.to_owned());
        }
    }
}

fn created(now: i64, request: &Request, state: State, begin: i64, deadline: i64) -> Job {
    Job {
        state,
        revision: 0,
        request: request.body.clone(),
        body: Some(Body::Kept),
        tenant: request.tenant.clone(),
        key: (!request.key.is_empty()).then(|| request.key.clone()),
        priority: request.priority,
        enqueued: now,
        ready_ms: begin,
        ranked: None,
        deadline,
        deadline_len: deadline - begin,
        max_attempts: request.max_attempts,
        webhook: request.body.contains("webhook").then(|| RECEIVER.to_owned()),
        delivery: None,
        fence: 0,
        lease: None,
        delivered: None,
        attempts: 0,
        crashes: 0,
        stalls: 0,
        interruptions: 0,
        reason: None,
        wake_at: None,
        started: None,
        finished: None,
        last_report: None,
        owns: Vec::new(),
        awaits: BTreeSet::new(),
        heir: Vec::new(),
        notes: BTreeMap::new(),
    }
}
