//! Values of one job go into Redis for a while and come out for another (`CACHE_REDIS_URL`).
//!
//! Nobody waits long for a cache: whatever it does not do within a quarter of a second is a miss,
//! and counted. After a failure it is left in peace for a second. It never fills a server that does
//! not evict: the queue's jobs may live there too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Put, SharedCache};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, FromRedisValue, RedisError, RedisResult};
use stillcast_enqueue::address::connection_info;
use tokio::time::{Instant, timeout};

/// Longest wait for any answer.
const CALL_TIMEOUT: Duration = Duration::from_millis(250);
/// How long a cache that failed is not asked.
const REST: Duration = Duration::from_secs(1);
/// How long a look at the server's memory is good for.
const MEMORY_LOOK: Duration = Duration::from_secs(1);
/// Nothing is put into a server without eviction above this share of its memory, in percent.
const FULL_AT: u64 = 60;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheEvent {
    /// It gave the value.
    Hit,
    /// It had none.
    Miss,
    /// It took a value.
    Stored,
    /// It had a value already.
    Present,
    /// Its server is too full.
    Full,
    /// It did not answer, or not sensibly.
    Failed,
}

impl CacheEvent {
    /// The event's one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stored => "stored",
            Self::Present => "present",
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }
}

/// Hears what becomes of each request.
pub type Hear = Arc<dyn Fn(CacheEvent) + Send + Sync>;

/// The shared cache of one queue's jobs on a Redis of version 7.0 or newer.
#[derive(Clone)]
pub struct RedisCache {
    connection: ConnectionManager,
    /// Queues of one server share nothing: their stores may differ.
    prefix: String,
    ttl: Duration,
    hear: Hear,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    resting_until: Option<Instant>,
    looked_at_memory: Option<(Instant, bool)>,
}

impl RedisCache {
    /// A cache of `queue` at `url` whose values live for `ttl`. Connects at its first use.
    pub fn new(url: &str, queue: &str, ttl: Duration, hear: Hear) -> RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CALL_TIMEOUT))
            .set_response_timeout(Some(CALL_TIMEOUT))
            .set_number_of_retries(1);
        let client = Client::open(connection_info(url)?)?;
        let connection = ConnectionManager::new_lazy_with_config(client, config)?;
        let prefix = format!("stillcast:{queue}:cache:");
        Ok(Self { connection, prefix, ttl, hear, state: Arc::default() })
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        if self.state().resting_until.is_some_and(|until| Instant::now() < until) {
            return Err(RedisError::from((ErrorKind::Io, "the cache rests after a failure")));
        }
        let mut connection = self.connection.clone();
        let asked = timeout(CALL_TIMEOUT, command.query_async(&mut connection)).await;
        let answer = asked.unwrap_or_else(|_| {
            Err(RedisError::from((ErrorKind::Io, "the cache did not answer in time")))
        });
        if let Err(error) = &answer {
            tracing::warn!("the shared cache fails, jobs go on without it: {error}");
            self.state().resting_until = Some(Instant::now() + REST);
        }
        answer
    }

    /// Whether a put would crowd a server that evicts nothing.
    async fn is_full(&self) -> RedisResult<bool> {
        if let Some((at, is_full)) = self.state().looked_at_memory
            && at.elapsed() < MEMORY_LOOK
        {
            return Ok(is_full);
        }
        let info: String = self.ask(redis::cmd("INFO").arg("memory")).await?;
        let is_full = is_crowded(&info);
        self.state().looked_at_memory = Some((Instant::now(), is_full));
        Ok(is_full)
    }

    async fn put(&self, key: &str, value: &Bytes) -> RedisResult<Option<Option<Bytes>>> {
        if self.is_full().await? {
            return Ok(None);
        }
        let ttl = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("SET");
        command.arg(self.key(key)).arg(&value[..]).arg("NX").arg("GET").arg("PX").arg(ttl);
        let present: Option<Vec<u8>> = self.ask(&command).await?;
        Ok(Some(present.map(Bytes::from)))
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `INFO memory` tells of a server without eviction that is nearly full.
fn is_crowded(info: &str) -> bool {
    let field = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim)
    };
    let number = |name| field(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (used, limit) = (number("used_memory"), number("maxmemory"));
    let evicts = field("maxmemory_policy").is_some_and(|policy| policy != "noeviction");
    !evicts && limit > 0 && used.saturating_mul(100) > limit.saturating_mul(FULL_AT)
}

#[async_trait]
impl SharedCache for RedisCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let found = self.ask::<Option<Vec<u8>>>(redis::cmd("GET").arg(self.key(key))).await;
        (self.hear)(match &found {
            Ok(Some(_)) => CacheEvent::Hit,
            Ok(None) => CacheEvent::Miss,
            Err(_) => CacheEvent::Failed,
        });
        found.ok().flatten().map(Bytes::from)
    }

    async fn put_if_absent(&self, key: &str, value: Bytes) -> Put {
        let (event, put) = match self.put(key, &value).await {
            Ok(Some(None)) => (CacheEvent::Stored, Put::Stored),
            Ok(Some(Some(present))) => (CacheEvent::Present, Put::Present(present)),
            Ok(None) => (CacheEvent::Full, Put::Refused),
            Err(_) => (CacheEvent::Failed, Put::Refused),
        };
        (self.hear)(event);
        put
    }

    /// What is not deleted now is found to be of no use again, and deleted then.
    async fn delete(&self, key: &str) {
        if self.ask::<u64>(redis::cmd("DEL").arg(self.key(key))).await.is_err() {
            (self.hear)(CacheEvent::Failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(used: u64, limit: u64, policy: &str) -> String {
        format!(
            "# Memory\r\nused_memory:{used}\r\nused_memory_human:1M\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\n"
        )
    }

    #[test]
    fn only_a_server_that_cannot_evict_is_spared() {
        assert!(is_crowded(&info(61, 100, "noeviction")));
        assert!(!is_crowded(&info(60, 100, "noeviction")));
        assert!(!is_crowded(&info(99, 100, "allkeys-lru")));
        assert!(!is_crowded(&info(u64::MAX, 0, "noeviction")));
    }

    #[tokio::test]
    async fn a_cache_that_nobody_answers_for_is_a_quick_miss() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear: Hear = {
            let heard = Arc::clone(&heard);
            Arc::new(move |event| heard.lock().unwrap().push(event))
        };
        // Port 9 is nobody's on a machine of ours.
        let ttl = Duration::from_mins(1);
        let cache = RedisCache::new("redis://127.0.0.1:9/0", "q", ttl, hear).unwrap();
        let began = Instant::now();
        assert_eq!(cache.get("a/image/0").await, None);
        assert_eq!(cache.put_if_absent("a/image/0", Bytes::from_static(b"x")).await, Put::Refused);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(*heard.lock().unwrap(), [CacheEvent::Failed, CacheEvent::Failed]);
    }
}
