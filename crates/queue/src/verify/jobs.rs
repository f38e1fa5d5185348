//! One page of jobs goes in; what contradicts itself comes out.

use std::collections::BTreeMap;

use stillcast_enqueue::State;

use super::{INDEXES, Look, Text};
use crate::QueueError;

/// Fields that are judged; the order of [`View::field`].
const FIELDS: [&str; 13] = [
    "state",
    "token",
    "worker",
    "crashes",
    "attempts",
    "max_attempts",
    "tenant",
    "idempotency_key",
    "heir",
    "reason",
    "lease_ms",
    "ready_ms",
    "deadline_ms",
];

/// What is ready and has its deadline so far behind the moment at which it first was, the reaper finds by
/// its rank: `FOUND_BY_RANK_MS` of the scripts.
const FOUND_BY_RANK_MS: u64 = 24 * 3600 * 1000;

/// What one job looks like from all sides at one moment.
struct View {
    fields: BTreeMap<&'static str, String>,
    /// Indexes that name it.
    indexes: Vec<&'static str>,
    has_deadline: bool,
    /// Milliseconds left; −1 without end, −2 when there is none.
    record_left: i64,
    body_left: i64,
}

impl Look<'_> {
    pub(super) async fn jobs(&mut self, ids: &[&str]) -> Result<(), QueueError> {
        self.counts.jobs += ids.len();
        let views = self.views(ids).await?;
        let mut keyed = Vec::new();
        for (id, view) in ids.iter().zip(views) {
            // Purged since the page was read.
            if view.record_left == -2 {
                continue;
            }
            for (rule, detail) in view.faults() {
                self.blame(rule, id, detail);
            }
            self.heirs.extend(view.field("heir").lines().map(str::to_owned));
            if let Some(name) = view.idempotency() {
                keyed.push((*id, name));
            }
        }
        self.jobs_have_their_keys(&keyed).await
    }

    /// Each job as one transaction sees it. A full Redis refuses transactions, even of reads: then the
    /// jobs are read one command after the other, and one that moves meanwhile may be blamed.
    async fn views(&mut self, ids: &[&str]) -> Result<Vec<View>, QueueError> {
        let questions = self.questions(ids);
        let answers: Vec<redis::Value> = match self.send(questions.clone().atomic()).await {
            Err(QueueError::Redis(error)) if error.to_string().contains("OOM") => {
                self.send(&questions).await?
            }
            answers => answers?,
        };
        let rows = answers.chunks_exact(INDEXES.len() + 4);
        Ok(rows.map(View::read).collect::<Result<_, _>>()?)
    }

    fn questions(&self, ids: &[&str]) -> redis::Pipeline {
        let keys = self.scripts.keys();
        let mut pipeline = redis::pipe();
        for id in ids {
            let job = keys.job(id);
            pipeline.cmd("HMGET").arg(&job).arg(&FIELDS);
            for index in INDEXES.iter().chain(&["deadlines"]) {
                pipeline.cmd("ZSCORE").arg(keys.named(index)).arg(id);
            }
            pipeline.cmd("PTTL").arg(&job).cmd("PTTL").arg(keys.body(id));
        }
        pipeline
    }

    /// A key names a job that lives and that has this key.
    pub(super) async fn keys_name_living_jobs(&mut self, names: &[&str]) -> Result<(), QueueError> {
        let mut pipeline = redis::pipe();
        for name in names {
            pipeline.get(self.key(&format!("idem:{name}")));
        }
        let ids: Vec<Option<Text>> = self.send(&pipeline).await?;
        let named: Vec<(&str, String)> =
            names.iter().zip(ids).filter_map(|(name, id)| Some((*name, id?.0))).collect();
        let ids: Vec<&str> = named.iter().map(|(_, id)| id.as_str()).collect();
        let views = self.views(&ids).await?;
        for ((name, id), view) in named.iter().zip(views) {
            if view.idempotency().as_deref() != Some(*name) {
                let detail =
                    format!("the idempotency key `{name}` names it, which it does not hold");
                self.blame("idem", id, detail);
            }
        }
        Ok(())
    }

    async fn jobs_have_their_keys(&mut self, keyed: &[(&str, String)]) -> Result<(), QueueError> {
        let mut pipeline = redis::pipe();
        for (_, name) in keyed {
            pipeline.get(self.key(&format!("idem:{name}")));
        }
        let owners: Vec<Option<Text>> = self.send(&pipeline).await?;
        for ((id, name), owner) in keyed.iter().zip(owners) {
            if owner.is_none_or(|owner| owner.0 != *id) {
                self.blame("idem", id, format!("its idempotency key `{name}` does not name it"));
            }
        }
        Ok(())
    }
}

impl View {
    fn read(row: &[redis::Value]) -> redis::RedisResult<Self> {
        let take = |at: usize| row[at].clone();
        let values: Vec<Option<Text>> = redis::from_redis_value(take(0))?;
        let fields =
            FIELDS.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?.0)));
        let present = |at: &usize| !matches!(row[at + 1], redis::Value::Nil);
        Ok(Self {
            fields: fields.collect(),
            indexes: (0..INDEXES.len()).filter(present).map(|at| INDEXES[at]).collect(),
            has_deadline: present(&INDEXES.len()),
            record_left: redis::from_redis_value(take(INDEXES.len() + 2))?,
            body_left: redis::from_redis_value(take(INDEXES.len() + 3))?,
        })
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> u64 {
        self.field(name).parse().unwrap_or(0)
    }

    /// `tenant/key` while the job holds it: dead, cancelled and expired jobs have freed it.
    fn idempotency(&self) -> Option<String> {
        let key = self.fields.get("idempotency_key")?;
        let freed = ["dead", "cancelled", "expired"].contains(&self.field("state"));
        (!freed).then(|| format!("{}/{key}", self.field("tenant")))
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        let Some(state) = State::parse(self.field("state")) else {
            return vec![("I2", format!("its state `{}` is none", self.field("state")))];
        };
        let mut faults = self.misplaced(state);
        faults.extend(self.lease_faults(state));
        faults.extend(self.body_faults(state));
        if self.record_left >= 0 {
            faults.push(("ttl", "its record has a time to live".to_owned()));
        }
        let (attempts, most) = (self.number("attempts"), self.number("max_attempts"));
        if attempts > most {
            faults.push(("I10", format!("{attempts} attempts, at most {most} allowed")));
        }
        faults
    }

    /// I2: one index, the one of its state; a deadline while it waits, and only then, unless its rank tells.
    fn misplaced(&self, state: State) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        // What an older worker has put into `solo` lies there until the next reap.
        if self.indexes != [state.as_str()] && !(state == State::Ready && self.indexes == ["solo"])
        {
            let detail =
                format!("it is {state} and belongs into `{state}`, not {:?}", self.indexes);
            faults.push(("I2", detail));
        }
        let waits = !state.is_terminal() && state != State::Leased;
        // What an older version has enqueued is among them all the same.
        let is_found = state == State::Ready && self.has_days();
        if !is_found && self.has_deadline != waits {
            let word = if waits { "is not" } else { "is" };
            faults.push(("I2", format!("it is {state} and {word} among the deadlines")));
        }
        faults
    }

    fn has_days(&self) -> bool {
        let span = self.number("deadline_ms").saturating_sub(self.number("ready_ms"));
        span >= FOUND_BY_RANK_MS
    }

    fn lease_faults(&self, state: State) -> Option<(&'static str, String)> {
        let missing =
            ["token", "worker", "lease_ms"].into_iter().find(|name| self.field(name).is_empty());
        match (state, missing) {
            (State::Leased, Some(name)) => {
                Some(("lease", format!("it is leased without `{name}`")))
            }
            // Of a delivered job the token stays, so that a repeated report is known.
            (State::Leased, None) | (State::Done, _) => None,
            _ if self.fields.contains_key("token") => {
                Some(("lease", format!("it is {state} and still has a token")))
            }
            _ => None,
        }
    }

    fn body_faults(&self, state: State) -> Option<(&'static str, String)> {
        let detail = match (state, self.body_left) {
            (State::Dead, -1) => "it is dead and its body lives for ever",
            (State::Done | State::Cancelled | State::Expired, -1..) => {
                "it has ended and keeps its body"
            }
            (State::Done | State::Cancelled | State::Expired | State::Dead, _) | (_, -1) => {
                return None;
            }
            (_, -2) => "it may still run and has no body",
            _ => {
                return Some((
                    "ttl",
                    "it may still run and its body has a time to live".to_owned(),
                ));
            }
        };
        Some(("body", format!("{detail} ({state})")))
    }
}
