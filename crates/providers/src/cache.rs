//! Values of one job go into Redis for a while and come out for another (`CACHE_REDIS_URL`).
//!
//! Nobody waits long for a cache: whatever it does not do within a quarter of a second is a miss,
//! and counted. After a failure it is left in peace for a second. It never fills a server that does
//! not evict: the queue's jobs may live there too.

mod event;
mod memory;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Put, SharedCache};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, FromRedisValue, RedisError, RedisResult};
use stillcast_enqueue::address::connection_info;
use tokio::time::{Instant, timeout};

pub use event::{CacheEvent, Hear};
use memory::is_crowded;

/// Longest wait for any answer.
const CALL_TIMEOUT: Duration = Duration::from_millis(250);
/// How long a cache that failed is not asked.
const REST: Duration = Duration::from_secs(1);
/// How long a look at the server's memory is good for.
const MEMORY_LOOK: Duration = Duration::from_secs(1);

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

    async fn put(&self, key: &str, value: &Bytes) -> RedisResult<(CacheEvent, Put)> {
        if self.is_full().await? {
            return Ok((CacheEvent::Full, Put::Refused));
        }
        let ttl = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("SET");
        command.arg(self.key(key)).arg(&value[..]).arg("NX").arg("GET").arg("PX").arg(ttl);
        Ok(match self.ask::<Option<Vec<u8>>>(&command).await? {
            None => (CacheEvent::Stored, Put::Stored),
            Some(present) => (CacheEvent::Present, Put::Present(present.into())),
        })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let put = self.put(key, &value).await;
        let (event, put) = put.unwrap_or((CacheEvent::Failed, Put::Refused));
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
