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
use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult};
use stillcast_enqueue::address::told;
use stillcast_enqueue::connection::{Patience, SharedConnection};
use stillcast_enqueue::route::Route;
use tokio::time::{Instant, sleep_until, timeout};

pub use event::{CacheEvent, Hear};
use memory::is_crowded;

/// Longest wait for any answer.
const CALL_TIMEOUT: Duration = Duration::from_millis(250);
/// Less, so that a connection to a server that hangs is given up within one call.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(200);
/// How long a cache that failed is not asked.
const REST: Duration = Duration::from_secs(1);
/// How long a cache that begins to fail is waited for. What is not found or not kept in a hiccup is bought
/// again, which costs more than these seconds do.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a look at the server's memory is good for.
const MEMORY_LOOK: Duration = Duration::from_secs(1);

/// The shared cache of one queue's jobs on a Redis of version 7.0 or newer.
#[derive(Clone)]
pub struct RedisCache {
    connection: SharedConnection,
    /// Queues of one server share nothing: their stores may differ.
    prefix: String,
    ttl: Duration,
    hear: Hear,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    resting_until: Option<Instant>,
    failing_since: Option<Instant>,
    is_denied: bool,
    looked_at_memory: Option<(Instant, bool)>,
}

impl RedisCache {
    /// A cache of `queue` at `url` whose values live for `ttl`. Connects at its first use.
    pub fn new(url: &str, queue: &str, ttl: Duration, hear: Hear) -> RedisResult<Self> {
        let patience = Patience { connect: ANSWER_TIMEOUT, answer: ANSWER_TIMEOUT };
        let route = Route::to(url, |info| info)?;
        let connection = SharedConnection::unwatched(route, patience);
        // The braces are a hash tag: one node of a cluster keeps all of it.
        let prefix = format!("{{stillcast:{queue}:cache}}:");
        Ok(Self { connection, prefix, ttl, hear, state: Arc::default() })
    }

    /// Again after each rest, as long as that may be a hiccup.
    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        loop {
            let answer = self.ask_once(command).await;
            match answer.as_ref().err().and_then(|error| self.worth_waiting(error)) {
                Some(rest_ends) => sleep_until(rest_ends).await,
                None => return answer,
            }
        }
    }

    /// When to ask again behind this failure, if at all.
    fn worth_waiting(&self, error: &RedisError) -> Option<Instant> {
        let state = self.state();
        let is_hiccup = state.failing_since.is_some_and(|since| since.elapsed() < PATIENCE);
        state.resting_until.filter(|_| is_hiccup && !is_no(error))
    }

    async fn ask_once<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        if self.state().resting_until.is_some_and(|until| Instant::now() < until) {
            return Err(RedisError::from((ErrorKind::Io, "the cache rests after a failure")));
        }
        let mut connection = self.connection.clone();
        let asked = timeout(CALL_TIMEOUT, command.query_async(&mut connection)).await;
        let answer = asked.unwrap_or_else(|_| {
            Err(RedisError::from((ErrorKind::Io, "the cache did not answer in time")))
        });
        // A server that says no to this call has answered.
        self.hear_answer(answer.as_ref().err().filter(|error| !is_no(error)));
        answer
    }

    /// A failure is told once, and so is its end.
    fn hear_answer(&self, failed: Option<&RedisError>) {
        let mut state = self.state();
        let now = Instant::now();
        let since = failed.map(|_| state.failing_since.unwrap_or(now));
        let was_failing = std::mem::replace(&mut state.failing_since, since).is_some();
        match failed {
            Some(error) => {
                state.resting_until = Some(now + REST);
                if !was_failing {
                    let why = told(error);
                    tracing::warn!(why, "the shared cache fails, jobs go on without it");
                }
            }
            None if was_failing => tracing::info!("the shared cache serves again"),
            None => {}
        }
    }

    /// Whether a put would crowd a server that evicts nothing.
    async fn is_full(&self) -> RedisResult<bool> {
        if let Some((at, is_full)) = self.state().looked_at_memory
            && at.elapsed() < MEMORY_LOOK
        {
            return Ok(is_full);
        }
        let is_full = match self.ask::<String>(redis::cmd("INFO").arg("memory")).await {
            Ok(info) => is_crowded(&info),
            Err(error) if is_no(&error) => {
                self.tell_denied();
                true
            }
            Err(error) => return Err(error),
        };
        self.state().looked_at_memory = Some((Instant::now(), is_full));
        Ok(is_full)
    }

    /// What cannot be measured is not filled: the queue's jobs may live there too.
    fn tell_denied(&self) {
        if !std::mem::replace(&mut self.state().is_denied, true) {
            tracing::warn!(
                "the shared cache keeps nothing: the user in CACHE_REDIS_URL (or REDIS_URL) may not \
                 INFO, so whether it may fill its Redis cannot be seen; the right is +info"
            );
        }
    }

    async fn put(&self, key: &str, value: &Bytes) -> RedisResult<(CacheEvent, Put)> {
        if self.is_full().await? {
            return Ok((CacheEvent::Full, Put::Refused));
        }
        let ttl = u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("SET");
        command.arg(self.key(key)).arg(&value[..]).arg("NX").arg("GET").arg("PX").arg(ttl);
        Ok(match self.ask::<Option<Vec<u8>>>(&command).await {
            Ok(None) => (CacheEvent::Stored, Put::Stored),
            Ok(Some(present)) => (CacheEvent::Present, Put::Present(present.into())),
            Err(error) if error.code() == Some("OOM") => (CacheEvent::Full, Put::Refused),
            Err(error) => return Err(error),
        })
    }

    async fn first(&self, keys: &[&str]) -> RedisResult<Option<(usize, Bytes)>> {
        for (at, key) in keys.iter().enumerate() {
            let asked = self.ask::<Option<Vec<u8>>>(redis::cmd("GET").arg(self.key(key))).await?;
            if let Some(value) = asked {
                return Ok(Some((at, value.into())));
            }
        }
        Ok(None)
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the server lives, and refuses this one call: its user may not, or there is no room.
fn is_no(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOPERM" | "OOM"))
}

#[async_trait]
impl SharedCache for RedisCache {
    /// Each is asked for by itself: whoever may GET has no other right for it, and most often the first is there.
    async fn get(&self, keys: &[&str]) -> Option<(usize, Bytes)> {
        let found = self.first(keys).await;
        (self.hear)(match &found {
            Ok(Some(_)) => CacheEvent::Hit,
            Ok(None) => CacheEvent::Miss,
            Err(_) => CacheEvent::Failed,
        });
        found.ok().flatten()
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
    use ::tests::server::Server;

    use super::*;

    /// Otherwise it would be bought again.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_kept_is_found_behind_a_hiccup() {
        let server = Server::start().await.unwrap();
        let (ttl, value) = (Duration::from_mins(1), Bytes::from_static(b"x"));
        let cache = RedisCache::new(&server.url(), "q", ttl, Arc::new(|_| {})).unwrap();
        assert_eq!(cache.put_if_absent("a/image/0", value.clone()).await, Put::Stored);
        server.stand_still().unwrap();
        let hiccup = async {
            while cache.state().failing_since.is_none() {
                tokio::task::yield_now().await;
            }
            server.go_on().unwrap();
        };
        let (found, ()) = tokio::join!(cache.get(&["a/image/0"]), hiccup);
        assert_eq!(found, Some((0, value)));
    }

    #[tokio::test]
    async fn a_cache_that_nobody_answers_for_is_waited_for_once_and_is_a_quick_miss_then() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hear: Hear = {
            let heard = Arc::clone(&heard);
            Arc::new(move |event| heard.lock().unwrap().push(event))
        };
        // Port 9 is nobody's on a machine of ours.
        let ttl = Duration::from_mins(1);
        let cache = RedisCache::new("redis://127.0.0.1:9/0", "q", ttl, hear).unwrap();
        assert_eq!(cache.get(&["a/image/0"]).await, None);
        let began = Instant::now();
        assert_eq!(cache.put_if_absent("a/image/0", Bytes::from_static(b"x")).await, Put::Refused);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(*heard.lock().unwrap(), [CacheEvent::Failed, CacheEvent::Failed]);
    }
}
