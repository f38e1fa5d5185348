//! Each Lua verb as one typed call, in the order of a job's life.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{RedisResult, Script, ScriptInvocation, Value};
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::{Cost, ErrorReport, lua};

use crate::answers::understand_claim;
use crate::{Claim, Limits, Outcome, ParkReason, QueueError, Report, Reported};

/// Names one script; its file under `lua/` has the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// T3.
    Claim,
    /// The first write of an attempt.
    Begin,
    /// T4.
    Renew,
    /// T5.
    Checkpoint,
    /// Stage and percent.
    Progress,
    /// T6, T8 to T11.
    Report,
    /// T2, T7, T12, T14, retention.
    Reap,
    /// T13.
    Cancel,
    /// T15.
    Replay,
    /// The end of a record.
    Purge,
    /// Into a flight.
    Join,
    /// Out of a flight, with its answer.
    Land,
    /// A worker leaves.
    Drain,
    /// Claims stop or go on.
    Pause,
    /// One consistent look.
    Stats,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 15] = [
        Self::Claim,
        Self::Begin,
        Self::Renew,
        Self::Checkpoint,
        Self::Progress,
        Self::Report,
        Self::Reap,
        Self::Cancel,
        Self::Replay,
        Self::Purge,
        Self::Join,
        Self::Land,
        Self::Drain,
        Self::Pause,
        Self::Stats,
    ];

    fn source(self) -> &'static str {
        match self {
            Self::Claim => include_str!("../lua/claim.lua"),
            Self::Begin => include_str!("../lua/begin.lua"),
            Self::Renew => include_str!("../lua/renew.lua"),
            Self::Checkpoint => include_str!("../lua/checkpoint.lua"),
            Self::Progress => include_str!("../lua/progress.lua"),
            Self::Report => include_str!("../lua/report.lua"),
            Self::Reap => include_str!("../lua/reap.lua"),
            Self::Cancel => lua::CANCEL,
            Self::Replay => include_str!("../lua/replay.lua"),
            Self::Purge => include_str!("../lua/purge.lua"),
            Self::Join => include_str!("../lua/join.lua"),
            Self::Land => include_str!("../lua/land.lua"),
            Self::Drain => include_str!("../lua/drain.lua"),
            Self::Pause => include_str!("../lua/pause.lua"),
            Self::Stats => include_str!("../lua/stats.lua"),
        }
    }
}

/// Where the scripts read the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Redis' own clock: the only one of the fleet.
    Server,
    /// A key `<prefix>clock` in ms, so that a test moves time by hand.
    Key,
}

/// The scripts of one queue. Cheap to clone.
#[derive(Clone)]
pub struct Scripts {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Keys,
    fixed: Vec<String>,
    scripts: Vec<Script>,
}

impl Scripts {
    /// The scripts of the queue whose keys these are.
    pub fn new(keys: Keys, clock: Clock) -> Self {
        let fixed = keys.fixed();
        let preamble = with_clock(lua::PREAMBLE, clock);
        let scripts = Verb::ALL
            .iter()
            .map(|verb| Script::new(&format!("{preamble}{}", verb.source())))
            .collect();
        Self { inner: Arc::new(Inner { keys, fixed, scripts }) }
    }

    /// The queue's keys.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// The digest by which Redis knows the script of `verb`.
    pub fn digest(&self, verb: Verb) -> &str {
        self.inner.scripts[verb as usize].get_hash()
    }

    /// A call of `verb` with the arguments that all verbs share.
    pub fn call(&self, verb: Verb) -> ScriptInvocation<'_> {
        let mut call = self.inner.scripts[verb as usize].prepare_invoke();
        call.key(&self.inner.fixed).arg(self.inner.keys.prefix());
        call
    }

    /// T3.
    pub async fn claim(
        &self,
        connection: &mut impl ConnectionLike,
        worker: &str,
        nonce: &str,
        lease: Duration,
        held: usize,
    ) -> Result<Claim, QueueError> {
        let mut call = self.call(Verb::Claim);
        call.arg(worker).arg(nonce).arg(millis(lease)).arg(held);
        understand_claim(&call.invoke_async::<Vec<Value>>(connection).await?)
    }

    /// The attempt begins; false when the token is stale.
    pub async fn begin(
        &self,
        connection: &mut impl ConnectionLike,
        id: &str,
        token: &str,
    ) -> RedisResult<bool> {
        let mut call = self.call(Verb::Begin);
        is_ok(call.arg(id).arg(token).invoke_async(connection).await)
    }

    /// T4; one word a job: `ok`, `cancel` or `stale`.
    pub fn renew(
        &self,
        worker: &str,
        lease: Duration,
        held: &[(String, String)],
    ) -> ScriptInvocation<'_> {
        let mut call = self.call(Verb::Renew);
        call.arg(worker).arg(millis(lease));
        for (id, token) in held {
            call.arg(id).arg(token);
        }
        call
    }

    /// T5; false when the token is stale. Empty `words` leave the transcript as it is, and no `cost`
    /// the record's.
    pub async fn checkpoint(
        &self,
        connection: &mut impl ConnectionLike,
        id: &str,
        token: &str,
        words: &str,
        cost: Option<Cost>,
        digests: &[(&str, &str)],
    ) -> RedisResult<bool> {
        let mut call = self.call(Verb::Checkpoint);
        call.arg(id).arg(token).arg(json(cost.as_ref())).arg(words);
        for (name, digest) in digests {
            call.arg(*name).arg(*digest);
        }
        is_ok(call.invoke_async(connection).await)
    }

    /// Stage, percent and stages for those who watch; false when the token is stale.
    pub async fn progress(
        &self,
        connection: &mut impl ConnectionLike,
        id: &str,
        token: &str,
        stage: &str,
        percent: u8,
        stages: &str,
    ) -> RedisResult<bool> {
        let mut call = self.call(Verb::Progress);
        call.arg(id).arg(token).arg(stage).arg(percent).arg(stages);
        is_ok(call.invoke_async(connection).await)
    }

    /// T6, T8 to T11. `delay` is the back-off of a retry that names none.
    pub async fn report(
        &self,
        connection: &mut impl ConnectionLike,
        id: &str,
        token: &str,
        report: &Report,
        delay: Duration,
        limits: &Limits,
    ) -> Result<Reported, QueueError> {
        let mut call = self.call(Verb::Report);
        add_report(&mut call, id, token, report, delay, limits);
        let answer: (String, String) = call.invoke_async(connection).await?;
        match answer.0.as_str() {
            "accepted" => Ok(Reported::Accepted(answer.1)),
            "stale" => Ok(Reported::Stale),
            "go-on" => Ok(Reported::GoOn),
            _ => Err(QueueError::Protocol { script: "report", answer: answer.0 }),
        }
    }

    /// T2, T7, T12, T14 and retention. `everything` only where nobody else can hold a lease.
    pub fn reap(
        &self,
        worker: &str,
        lease: Duration,
        everything: bool,
        limits: &Limits,
    ) -> ScriptInvocation<'_> {
        let mut call = self.call(Verb::Reap);
        call.arg(worker).arg(millis(lease)).arg(if everything { "all" } else { "" });
        call.arg(limits.crashes).arg(error_json("crashed", CRASHED));
        call.arg(limits.interruptions).arg(error_json("no-progress", NO_PROGRESS));
        call.arg(millis(limits.records_live)).arg(limits.most_records);
        call.arg(millis(limits.dead_live)).arg(limits.most_dead);
        call
    }

    /// Into the flight `key`.
    pub async fn join(
        &self,
        connection: &mut impl ConnectionLike,
        id: &str,
        token: &str,
        key: &str,
    ) -> RedisResult<Vec<String>> {
        self.call(Verb::Join).arg(id).arg(token).arg(key).invoke_async(connection).await
    }

    /// Out of the flight `key`, with its answer; false when the caller does not own it.
    pub async fn land(
        &self,
        connection: &mut impl ConnectionLike,
        id: &str,
        token: &str,
        key: &str,
        how: &str,
    ) -> RedisResult<bool> {
        is_ok(
            self.call(Verb::Land)
                .arg(id)
                .arg(token)
                .arg(key)
                .arg(how)
                .invoke_async(connection)
                .await,
        )
    }

    /// A worker announces that it leaves (`leaving`), or has left (`gone`).
    pub async fn drain(
        &self,
        connection: &mut impl ConnectionLike,
        worker: &str,
        step: &str,
    ) -> RedisResult<u64> {
        self.call(Verb::Drain).arg(worker).arg(step).invoke_async(connection).await
    }

    /// T13, T15, purge: verbs of one job that answer with words.
    pub async fn of_job(
        &self,
        connection: &mut impl ConnectionLike,
        verb: Verb,
        id: &str,
    ) -> RedisResult<Vec<String>> {
        self.call(verb).arg(id).invoke_async(connection).await
    }
}

const CRASHED: &str = "its worker died under it three times without progress; \
    look at the worker's log and memory, then replay the job";
const NO_PROGRESS: &str = "given back twenty times without progress; \
    the lease or the drain time-out is too short for one call of this job";

fn add_report(
    call: &mut ScriptInvocation<'_>,
    id: &str,
    token: &str,
    report: &Report,
    delay: Duration,
    limits: &Limits,
) {
    let outcome = &report.outcome;
    let (wait, error) = match outcome {
        Outcome::Retry { after, error } => (after.unwrap_or(delay), json(Some(error))),
        Outcome::Park { wake, error, .. } => (*wake, json(error.as_ref())),
        Outcome::Dead { error } => (Duration::ZERO, json(Some(error))),
        Outcome::Done { .. } | Outcome::Release => (Duration::ZERO, String::new()),
    };
    let artifact =
        if let Outcome::Done { artifact } = outcome { json(Some(artifact)) } else { String::new() };
    let reason = if let Outcome::Park { reason, .. } = outcome { reason.as_str() } else { "" };
    call.arg(id).arg(token).arg(outcome.as_str()).arg(millis(wait)).arg(reason);
    call.arg(error).arg(artifact).arg(json(report.stages.as_ref())).arg(json(report.cost.as_ref()));
    call.arg(limits.interruptions).arg(error_json("no-progress", NO_PROGRESS));
    if let Outcome::Park { reason: ParkReason::Flight(keys), .. } = outcome {
        call.arg(keys);
    }
}

fn json<T: serde::Serialize>(value: Option<&T>) -> String {
    value.map_or_else(String::new, |value| {
        serde_json::to_string(value).expect("records are plain data and always serialize")
    })
}

fn error_json(code: &str, message: &str) -> String {
    json(Some(&ErrorReport::new(code, message)))
}

fn is_ok(answer: RedisResult<String>) -> RedisResult<bool> {
    answer.map(|word| word == "ok")
}

pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Tests read the time from a key instead; the line is marked in the preamble.
fn with_clock(preamble: &str, clock: Clock) -> String {
    match clock {
        Clock::Server => preamble.to_owned(),
        Clock::Key => preamble
            .lines()
            .map(|line| {
                if line.ends_with("--@clock") {
                    "local clock_ms = tonumber(redis.call('GET', prefix .. 'clock'))\n\
                     local clock = { math.floor(clock_ms / 1000), clock_ms % 1000 * 1000 }\n"
                        .to_owned()
                } else {
                    format!("{line}\n")
                }
            })
            .collect(),
    }
}
