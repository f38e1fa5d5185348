//! A connection goes in; whether its server, and its user there, are fit for a queue comes out.
//!
//! Whatever a user may be denied is asked for in such a way that a denial is an answer: by `HELLO`,
//! which everybody may, and by a script that looks its own user's rights up.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use redis::{FromRedisValue, RedisResult, Value};
use stillcast_enqueue::connection::{SharedConnection, is_unserved, pause};
use stillcast_enqueue::lua;
use tokio::time::{Instant, sleep};

use crate::QueueError;
use crate::connection::Endpoint;
use crate::scripts::Verb;
use crate::scripts::verb::PARTS;

/// Oldest server whose scripts know the flags that draining a full Redis needs.
const MIN_MAJOR_VERSION: u32 = 7;
/// How long a server may refuse to serve before that is its answer: it loads, or a fail-over goes on.
const UNSERVED_LIMIT: Duration = Duration::from_secs(5);
/// What a worker says besides what its scripts say.
const BESIDES_SCRIPTS: [&str; 8] =
    ["bzpopmin", "evalsha", "get", "script|load", "subscribe", "time", "zrange", "zrem"];
/// What a worker may go without.
const INFO: &str = "info";
const CONFIG_GET: &str = "config|get";
/// Looks up, in one call, which of `ARGV`'s commands its user may not use on the queue's keys.
const LACKS: &str = "local key, channel, lacks = KEYS[1], KEYS[2], {} \
    local call = { \
      publish = { 'publish', channel, '' }, subscribe = { 'subscribe', channel }, \
      evalsha = { 'evalsha', '', '0' }, ['script|load'] = { 'script', 'load', '' }, \
      info = { 'info' }, ['config|get'] = { 'config', 'get', 'appendfsync' }, \
    } \
    for _, name in ipairs(ARGV) do \
      local known, may = pcall(redis.acl_check_cmd, unpack(call[name] or { name, key, key })) \
      if not (known and may) then lacks[#lacks + 1] = name end \
    end \
    return lacks";

/// What the server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReport {
    /// Its version; empty when it does not say.
    pub version: String,
    /// What may lose jobs, or cannot be seen, one sentence each.
    pub warnings: Vec<String>,
}

impl Endpoint {
    /// Refuses a server that would lose jobs or takes none, and a user without the rights of a worker;
    /// warns of what may lose jobs. Follows to the node of a cluster that keeps the queue.
    pub async fn examine(
        &self,
        connection: &mut SharedConnection,
    ) -> Result<ServerReport, QueueError> {
        let said = self.hello(connection).await?;
        let mut report = ServerReport { version: said.version.clone(), warnings: Vec::new() };
        refuse_old(&said.version)?;
        let mut lacks = self.lacks(connection).await?;
        let mut may = |name| {
            let at = lacks.iter().position(|lacking| lacking == name);
            at.map(|at| lacks.swap_remove(at)).is_none()
        };
        let (may_info, may_config) = (may(INFO), may(CONFIG_GET));
        if !lacks.is_empty() {
            lacks.sort();
            return Err(QueueError::Unfit(format!(
                "the user in REDIS_URL may not: {}; give it the rights of a worker, which the \
                 queue's README lists",
                lacks.join(", ")
            )));
        }
        if !may_info {
            report.warnings.push(UNSEEN.to_owned());
            return Ok(report);
        }
        let info: String = redis::cmd("INFO").query_async(connection).await?;
        refuse_evicting(field(&info, "maxmemory_policy"))?;
        let appendfsync = if may_config { appendfsync(connection).await } else { None };
        report
            .warnings
            .extend(warnings(field(&info, "aof_enabled") == "1", appendfsync.as_deref()));
        Ok(report)
    }

    /// The first words with the server that keeps the queue; waits a while for one that takes jobs.
    async fn hello(&self, connection: &mut SharedConnection) -> Result<Said, QueueError> {
        let end = Instant::now() + UNSERVED_LIMIT;
        for tries in 0.. {
            let refused = match self.say_hello(connection).await {
                Ok(said) if said.is_replica => QueueError::Unfit(REPLICA.to_owned()),
                Ok(said) => return Ok(said),
                Err(error) if is_unserved(&error) => self.unserved(error),
                Err(error) => return Err(error.into()),
            };
            if Instant::now() >= end {
                return Err(refused);
            }
            sleep(pause(tries)).await;
        }
        unreachable!("the loop ends by its time")
    }

    async fn say_hello(&self, connection: &mut SharedConnection) -> RedisResult<Said> {
        // Only a call that names a key is sent on to where the key is.
        let mut exists = redis::cmd("EXISTS");
        let _: i64 = exists.arg(self.keys().named("counts")).query_async(connection).await?;
        let fields = redis::cmd("HELLO").query_async::<HashMap<String, Value>>(connection).await;
        let fields = match fields {
            // A proxy in front of it may not know the word.
            Err(error) if !is_unserved(&error) => HashMap::new(),
            fields => fields?,
        };
        let text = |name: &str| {
            let value = fields.get(name).cloned().unwrap_or(Value::Nil);
            String::from_redis_value(value).unwrap_or_default()
        };
        Ok(Said {
            version: text("version"),
            is_replica: matches!(&*text("role"), "replica" | "slave"),
        })
    }

    fn unserved(&self, error: redis::RedisError) -> QueueError {
        match self.node() {
            Some(node) if error.is_io_error() => QueueError::Unfit(format!(
                "REDIS_URL names one node of a cluster, and the one that keeps this queue cannot be \
                 reached at {node}; have the cluster announce addresses that can be reached from here"
            )),
            _ => error.into(),
        }
    }

    async fn lacks(&self, connection: &mut SharedConnection) -> RedisResult<Vec<String>> {
        let mut call = redis::cmd("EVAL");
        call.arg(LACKS).arg(2).arg(self.keys().named("counts")).arg(self.keys().events());
        for name in commands() {
            call.arg(name);
        }
        call.arg(INFO).arg(CONFIG_GET);
        match call.query_async(connection).await {
            Err(error) if error.code() == Some("NOPERM") => Ok(vec!["eval".to_owned()]),
            lacks => lacks,
        }
    }
}

struct Said {
    version: String,
    is_replica: bool,
}

/// Every command that a worker and its scripts use.
fn commands() -> BTreeSet<String> {
    let sources = Verb::all().map(Verb::source).chain([lua::PREAMBLE, PARTS]);
    let called = sources.flat_map(|source| {
        let calls = source.split("redis.call('").skip(1);
        calls.filter_map(|call| Some(call.split_once('\'')?.0.to_ascii_lowercase()))
    });
    called.chain(BESIDES_SCRIPTS.map(ToOwned::to_owned)).collect()
}

const REPLICA: &str = "REDIS_URL leads to a replica, which takes no jobs; name the primary, or an address \
    that follows it";
const UNSEEN: &str = "its user may not INFO, so whether Redis evicts or loses jobs cannot be seen, and the \
    cache keeps nothing there; the right is +info";

/// The value of a line of `INFO`; empty where it has none.
pub(crate) fn field<'info>(info: &'info str, name: &str) -> &'info str {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim()
}

fn refuse_old(version: &str) -> Result<(), QueueError> {
    let Some(major) = version.split('.').next().and_then(|word| word.parse::<u32>().ok()) else {
        return Ok(());
    };
    if major >= MIN_MAJOR_VERSION {
        return Ok(());
    }
    let text = format!("Redis {version} is too old: the queue needs {MIN_MAJOR_VERSION}.0");
    Err(QueueError::Unfit(text))
}

fn refuse_evicting(policy: &str) -> Result<(), QueueError> {
    if policy.is_empty() || policy == "noeviction" {
        return Ok(());
    }
    Err(QueueError::Unfit(format!(
        "maxmemory-policy is `{policy}`: Redis would evict waiting jobs; set it to noeviction"
    )))
}

/// Managed servers bar CONFIG; then only INFO speaks.
async fn appendfsync(connection: &mut SharedConnection) -> Option<String> {
    let mut command = redis::cmd("CONFIG");
    let pair: Vec<String> =
        command.arg("GET").arg("appendfsync").query_async(connection).await.ok()?;
    pair.into_iter().nth(1)
}

fn warnings(append_only: bool, appendfsync: Option<&str>) -> Option<String> {
    let sentence = match (append_only, appendfsync) {
        (false, _) => "appendonly is off: a restart of Redis loses every waiting job",
        (true, Some("everysec")) => {
            "appendfsync is everysec: killing Redis may lose the last second of acknowledged jobs"
        }
        (true, Some("no")) => {
            "appendfsync is no: killing the host may lose every job since the last flush"
        }
        (true, _) => return None,
    };
    Some(sentence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfit_servers_are_refused() {
        assert!(refuse_old("7.0.15").is_ok() && refuse_old("").is_ok());
        assert!(refuse_old("6.2.0").is_err());
        assert!(refuse_evicting("noeviction").is_ok() && refuse_evicting("").is_ok());
        assert!(refuse_evicting("allkeys-lru").is_err());
    }

    #[test]
    fn weak_durability_is_said() {
        assert!(warnings(true, Some("always")).is_none());
        assert!(warnings(true, None).is_none());
        assert!(warnings(true, Some("everysec")).is_some());
        assert!(warnings(false, None).is_some());
    }

    #[test]
    fn the_commands_of_a_worker_are_those_of_its_scripts() {
        let commands = commands();
        for name in ["zadd", "hincrby", "publish", "bzpopmin", "evalsha"] {
            assert!(commands.contains(name), "{name} of {commands:?}");
        }
        assert!(!commands.contains("info") && !commands.contains("keys"), "{commands:?}");
    }
}
