//! The model as the keys that Redis should hold: no other key may exist.

use std::collections::{BTreeMap, BTreeSet};

use stillcast_enqueue::State;

use super::{Body, Flight, Job, Line, Model};
use crate::dump::{Content, Dump};
use crate::fixture::{LEASE, SOMEBODY, Standing};

impl Model {
    /// Every key of the queue.
    pub(crate) fn render(&self) -> Dump {
        let mut dump = Dump::new();
        self.render_jobs(&mut dump);
        self.render_indexes(&mut dump);
        self.render_flights(&mut dump);
        self.render_webhooks(&mut dump);
        self.render_house(&mut dump);
        dump
    }

    fn render_jobs(&self, dump: &mut Dump) {
        for (id, job) in &self.jobs {
            dump.insert(format!("job:{id}"), Content::Map(self.render_job(job)).immortal());
            let text = Content::Text(job.request.clone());
            let entry = match job.body {
                Some(Body::Kept) => text.immortal(),
                Some(Body::DiesAt(_)) => text.mortal(),
                None => continue,
            };
            dump.insert(format!("body:{id}"), entry);
        }
        for ((tenant, key), id) in &self.idempotency {
            let entry = Content::Text(id.clone()).immortal();
            dump.insert(format!("idem:{tenant}/{key}"), entry);
        }
    }

    fn render_indexes(&self, dump: &mut Dump) {
        let mut index = |name: &str, which: &dyn Fn(&Job) -> Option<i64>| {
            let scores = self.jobs.iter().filter_map(|(id, job)| Some((id.clone(), which(job)?)));
            put_ranks(dump, name, scores.collect());
        };
        index("ready", &|job| (job.state == State::Ready).then(|| job.rank()));
        index("delayed", &|job| {
            (job.state == State::Delayed).then(|| job.wake_at.unwrap_or(job.ready_ms))
        });
        index("parked", &|job| job.wake_at.filter(|_| job.state == State::Parked));
        index("leased", &|job| job.lease.as_ref().map(|lease| lease.expiry));
        for state in [State::Done, State::Dead, State::Cancelled, State::Expired] {
            index(state.as_str(), &|job| job.finished.filter(|_| job.state == state));
        }
        index("deadlines", &|job| job.is_among_deadlines().then_some(job.deadline));
    }

    fn render_flights(&self, dump: &mut Dump) {
        for (key, flight) in &self.flights {
            let entry = match flight {
                Flight::Owned { job, token } => map(&[("job", job), ("token", token)]).immortal(),
                Flight::Landed { how, .. } => map(&[("landed", how)]).mortal(),
            };
            dump.insert(format!("flight:{key}"), entry);
        }
        let awaited: BTreeSet<&String> = self.jobs.values().flat_map(|job| &job.awaits).collect();
        for key in awaited {
            let ranks = self.waiters(key).into_iter().map(|id| (id.clone(), self.jobs[&id].rank()));
            put_ranks(dump, &format!("waiters:{key}"), ranks.collect());
        }
    }

    fn render_house(&self, dump: &mut Dump) {
        let mut number = |name: &str, value: Option<i64>| {
            if let Some(value) = value {
                dump.insert(name.to_owned(), Content::Text(value.to_string()).immortal());
            }
        };
        number("paused", self.paused);
        number("reap_at", self.reap_at);
        number("gap_at", self.gap_at);
        let counts = [
            ("enqueued", self.enqueued),
            ("purged", self.purged),
            ("rank_ms", self.ranked),
            ("rank_ahead_ms", self.ahead),
            ("audited", i64::try_from(self.audit.len()).expect("few")),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        put_map(dump, "counts", counts.map(|(name, n)| (name.to_owned(), n.to_string())).collect());
        let lines = self.workers.iter().map(|(name, worker)| {
            let draining = i32::from(worker.draining);
            let standing = worker.standing.as_ref().map_or_else(String::new, |standing| {
                let Standing { slots, busy, refused, probe } = standing;
                format!("|{slots}|{busy}|{LEASE}|{refused}|{probe}")
            });
            let nonces: Vec<&str> = worker.claims.iter().map(|(nonce, _)| nonce.as_str()).collect();
            let ids: Vec<String> = worker.claims.iter().map(|(_, ids)| ids.join(",")).collect();
            let claims = [nonces.join(";"), ids.join(";")].join("|");
            let line = format!("{}|{draining}|{claims}", worker.seen);
            (name.clone(), line + &standing)
        });
        put_map(dump, "workers", lines.collect());
        put_ranks(dump, "audit", (1..).zip(&self.audit).map(line).collect());
        put_ranks(dump, "trash", self.trash.clone());
        let wake = self.wake.then(|| ("1".to_owned(), 0));
        put_ranks(dump, "wake", wake.into_iter().collect());
    }

    /// The fields of the job's hash.
    pub(crate) fn render_job(&self, job: &Job) -> BTreeMap<String, String> {
        let mut fields = job.notes.clone();
        let mut put = |name: &str, value: Option<String>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        let number = |value: i64| (value > 0).then(|| value.to_string());
        put("state", Some(job.state.as_str().to_owned()));
        put("format", Some("audio".to_owned()));
        put("tenant", Some(job.tenant.clone()));
        put("idempotency_key", job.key.clone());
        put("request_sha1", Some(self.digests[&job.request].clone()));
        put("rank_ms", job.ranked.map(|at| at.to_string()));
        put("priority", Some(job.priority.to_string()));
        put("enqueued_ms", Some(job.enqueued.to_string()));
        put("ready_ms", Some(job.ready_ms.to_string()));
        put("deadline_ms", Some(job.deadline.to_string()));
        put("deadline_len_ms", Some(job.deadline_len.to_string()));
        put("max_attempts", Some(job.max_attempts.to_string()));
        put("revision", number(job.revision));
        put("webhook", job.webhook.clone());
        put("delivery", job.delivery.clone());
        put("fence", number(job.fence));
        put("attempts", number(job.attempts));
        put("crashes", number(job.crashes));
        put("stalls", number(job.stalls));
        put("interruptions", number(job.interruptions));
        put("reason", job.reason.clone());
        put("wake_ms", job.wake_at.map(|at| at.to_string()));
        put("started_ms", job.started.map(|at| at.to_string()));
        put("finished_ms", job.finished.map(|at| at.to_string()));
        let report = job.last_report.as_ref();
        put("last_report", report.map(|(line, state)| format!("{line}={}", state.as_str())));
        put("owns", set(&job.owns));
        put("awaits", set(&job.awaits));
        put("heir", set(&job.heir));
        if let Some(lease) = job.lease.as_ref().or(job.delivered.as_ref()) {
            put("token", Some(lease.token.clone()));
            put("worker", Some(lease.worker.clone()));
            put("lease_ms", Some(LEASE.to_string()));
            put("begun", lease.begun.then(|| "1".to_owned()));
            put("cancel", lease.cancel.then(|| "1".to_owned()));
        }
        fields
    }
}

fn map(fields: &[(&str, &String)]) -> Content {
    Content::Map(
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone())).collect(),
    )
}

/// A line of the audit, by its number.
fn line((number, line): (i64, &Line)) -> (String, i64) {
    let [by, interface, why] = SOMEBODY;
    let Line { action, result, job, tenant, at, changes } = line;
    let at = at.to_string();
    let mut line =
        serde_json::json!([number, at, by, interface, action, result, why, job, tenant, "", 0]);
    line.as_array_mut().expect("a list").extend(changes.clone().map(Into::into));
    (line.to_string(), number)
}

/// Redis knows no empty hash.
fn put_map(dump: &mut Dump, name: &str, fields: BTreeMap<String, String>) {
    if !fields.is_empty() {
        dump.insert(name.to_owned(), Content::Map(fields).immortal());
    }
}

/// Redis knows no empty index.
fn put_ranks(dump: &mut Dump, name: &str, ranks: BTreeMap<String, i64>) {
    if !ranks.is_empty() {
        dump.insert(name.to_owned(), Content::Ranks(ranks).immortal());
    }
}

/// A set of flights, one a line.
fn set<'key>(keys: impl IntoIterator<Item = &'key String>) -> Option<String> {
    let keys: BTreeSet<&str> = keys.into_iter().map(String::as_str).collect();
    (!keys.is_empty()).then(|| keys.into_iter().collect::<Vec<_>>().join("\n"))
}
