//! One typed call for `lua/enqueue.lua`.

use std::time::Duration;

use redis::{Script, ScriptInvocation, ToRedisArgs};

use crate::connection::SharedConnection;
use crate::digest::digest;
use crate::keys::Keys;
use crate::{Envelope, Job};

/// The source of the one script that lets work in; the same for every client and language.
const SOURCE: &str = include_str!("../lua/enqueue.lua");
/// Its `KEYS`, in order.
const KEYS: [&str; 6] = ["ready", "delayed", "deadlines", "counts", "wake", "events"];

/// Time to the deadline when the request names none, from the later of now and `run_at`.
const DEFAULT_DEADLINE: Duration = Duration::from_hours(24);

/// The words by which the script names the first value of a job that it refuses.
const FIELDS: [&str; 15] = [
    "id",
    "body",
    "digest",
    "terms",
    "format",
    "tenant",
    "priority",
    "run_at",
    "deadline",
    "max_attempts",
    "extras",
    "idempotency_key",
    "traceparent",
    "webhook",
    "metadata",
];

/// The field of which the script speaks, out of our own list.
pub(crate) fn field(word: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| *field == word)
}

/// What the script says of one job.
pub(crate) type Answer = (String, String, String);

pub(crate) struct EnqueueScript {
    script: Script,
    keys: Vec<String>,
    prefix: String,
}

impl EnqueueScript {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            script: Script::new(SOURCE),
            keys: KEYS.iter().map(|word| keys.named(word)).collect(),
            prefix: keys.prefix().to_owned(),
        }
    }

    /// The same call as a command, for a pipeline; the script must be loaded.
    pub(crate) fn command(&self, jobs: &[&Job]) -> redis::Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(self.script.get_hash()).arg(self.keys.len()).arg(&self.keys);
        command.arg(self.arguments(jobs).0);
        command
    }

    /// The call for `jobs`, at most 500; fewer hold up others for less long.
    pub(crate) fn call(&self, jobs: &[&Job]) -> ScriptInvocation<'_> {
        let mut call = self.script.prepare_invoke();
        call.key(&self.keys).arg(self.arguments(jobs).0);
        call
    }

    /// Makes the script known to the server.
    pub(crate) async fn load(&self, connection: &mut SharedConnection) -> redis::RedisResult<()> {
        self.script.prepare_invoke().load_async(connection).await.map(drop)
    }

    fn arguments(&self, jobs: &[&Job]) -> Arguments {
        let mut arguments = Arguments::default();
        arguments.arg(&self.prefix).arg(DEFAULT_DEADLINE.as_secs() * 1000);
        for job in jobs {
            add_job(&mut arguments, job);
        }
        arguments
    }
}

/// `ARGV`, whatever carries it.
#[derive(Default)]
struct Arguments(Vec<Vec<u8>>);

impl Arguments {
    fn arg(&mut self, value: impl ToRedisArgs) -> &mut Self {
        value.write_redis_args(&mut self.0);
        self
    }
}

fn add_job(call: &mut Arguments, job: &Job) {
    let envelope = Envelope::of(job);
    let body = envelope.encode();
    let digest = digest(&envelope, &body);
    call.arg(job.id.as_str()).arg(body).arg(digest).arg(terms(job)).arg(extras(job));
}

/// What every job has; most jobs of a call have the same.
fn terms(job: &Job) -> String {
    let millis = |time: Option<chrono::DateTime<chrono::Utc>>| {
        time.map_or(0, |time| time.timestamp_millis().max(1))
    };
    let (format, run_at, deadline) =
        (job.format.as_str(), millis(job.run_at), millis(job.deadline));
    let Job { tenant, priority, max_attempts, .. } = job;
    format!("{format}\n{tenant}\n{priority}\n{run_at}\n{deadline}\n{max_attempts}")
}

/// What few jobs have; empty where there is nothing of it.
fn extras(job: &Job) -> String {
    let key = job.idempotency_key.as_deref().unwrap_or_default();
    let trace = job.traceparent.as_ref().map_or("", |traceparent| traceparent.as_str());
    let webhook = job.webhook.as_ref().map_or("", |webhook| webhook.as_str());
    let metadata = if job.metadata.is_empty() {
        String::new()
    } else {
        serde_json::to_string(&job.metadata).expect("a map of strings always serializes")
    };
    if [key, trace, webhook, &metadata].iter().all(|text| text.is_empty()) {
        return String::new();
    }
    format!("{key}\n{trace}\n{webhook}\n{metadata}")
}
