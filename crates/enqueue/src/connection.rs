//! A way to a Redis goes in; one connection for many callers comes out, which is opened anew, with
//! the name of its host resolved anew, as soon as the server behind it no longer serves.
//!
//! A fail-over leaves connections open to a server that answers, and does nothing any more: it is a
//! replica now, it loads, it has no master, it keeps other slots. So its answers decide, not only the
//! wire.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::address::advice;
use crate::route::Route;

/// Codes by which a server says that it does not serve here or now; nothing was done.
const UNSERVED: [&str; 10] = [
    "READONLY",
    "MOVED",
    "LOADING",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "UNBLOCKED",
    "NOREPLICAS",
    "MISCONF",
    "TRYAGAIN",
    "ASK",
];
/// How often one call is sent to another server at once.
const REDIRECTIONS: u32 = 2;
/// The pauses between two tries: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// Whether the server, or the way to it, is at fault and not the call: another connection may do.
pub fn is_unserved(error: &RedisError) -> bool {
    let by_code = error.code().is_some_and(|code| UNSERVED.contains(&code));
    by_code || matches!(error.kind(), ErrorKind::Io | ErrorKind::Parse)
}

/// Whether the server has refused the call before it did anything.
fn is_refusal(error: &RedisError) -> bool {
    is_unserved(error) && matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// How long to wait before try `tries` + 1: anything from nothing to twice the last one (full jitter),
/// so that a fleet does not come back as one.
pub fn pause(tries: u32) -> Duration {
    // Two random bytes are enough to spread; the client brings no other source of chance.
    let [one, two, ..] = uuid::Uuid::new_v4().into_bytes();
    let share = f64::from(u16::from_be_bytes([one, two])) / f64::from(u16::MAX);
    let (first, longest) = PAUSES;
    first.saturating_mul(2_u32.saturating_pow(tries.min(16))).min(longest).mul_f64(share)
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait for an answer; then the connection is given up.
    pub answer: Duration,
}

/// Hears of every answer, and of every failure of server or wire.
pub type Watch = Arc<dyn Fn(Result<(), &RedisError>) + Send + Sync>;

/// The connection. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct SharedConnection(Arc<Shared>);

struct Shared {
    route: Route,
    patience: Patience,
    watch: Watch,
    db: i64,
    /// Tries to open it, so that callers who waited for the same one share its failure.
    openings: AtomicU64,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    /// The connection, and which one it is.
    open: Option<(u64, MultiplexedConnection)>,
    failed: Option<RedisError>,
}

impl fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedConnection")
            .field("patience", &self.0.patience)
            .finish_non_exhaustive()
    }
}

impl SharedConnection {
    /// Opened by its first call.
    pub fn new(route: Route, patience: Patience, watch: Watch) -> Self {
        let db = route.client().get_connection_info().redis_settings().db();
        let (openings, slot) = (AtomicU64::new(0), Mutex::default());
        Self(Arc::new(Shared { route, patience, watch, db, openings, slot }))
    }

    /// One that nobody watches.
    pub fn unwatched(route: Route, patience: Patience) -> Self {
        Self::new(route, patience, Arc::new(|_| ()))
    }

    /// Opens it, and tries again for as long as `limit`. Fails at once on what no other try mends: a
    /// password, a database or a certificate.
    pub async fn open(&self, limit: Duration) -> RedisResult<()> {
        let end = Instant::now() + limit;
        for tries in 0.. {
            match self.current().await {
                Ok(_) => return Ok(()),
                Err(error) if !is_unserved(&error) || advice(&error).is_some() => {
                    return Err(error);
                }
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => sleep(pause(tries).min(end - Instant::now())).await,
            }
        }
        unreachable!("the loop ends by its time")
    }

    /// The open connection, and its number; opened when there is none.
    async fn current(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        let shared = &*self.0;
        let before = shared.openings.load(Ordering::Acquire);
        let mut slot = shared.slot.lock().await;
        if let Some(open) = &slot.open {
            return Ok(open.clone());
        }
        let number = shared.openings.load(Ordering::Acquire);
        // Somebody has tried while this caller waited: its failure is the answer to both.
        if number != before
            && let Some(error) = &slot.failed
        {
            return Err(error.clone());
        }
        let was_node = shared.route.takes_node();
        let opened = connect(&shared.route, shared.patience).await;
        shared.openings.store(number + 1, Ordering::Release);
        match opened {
            Ok(connection) => {
                slot.failed = None;
                Ok(slot.open.insert((number, connection)).clone())
            }
            Err(error) => {
                shared.route.leave(was_node);
                slot.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// The connection `number` is of no more use.
    async fn give_up(&self, number: u64, error: &RedisError) {
        let mut slot = self.0.slot.lock().await;
        if slot.open.as_ref().is_some_and(|(open, _)| *open == number) {
            slot.open = None;
            self.0.route.follow(error);
        }
    }

    /// Sends, and sends at once again to where a server that refuses leads.
    async fn ask(&self, call: Call<'_>) -> RedisResult<Vec<Value>> {
        let mut asked = self.ask_once(call).await;
        for _ in 0..REDIRECTIONS {
            if !asked.as_ref().is_err_and(is_refusal) {
                break;
            }
            asked = self.ask_once(call).await;
        }
        match &asked {
            Err(error) if is_unserved(error) || is_refused_entry(error) => {
                (self.0.watch)(Err(error));
            }
            // What a script refuses is an answer too.
            _ => (self.0.watch)(Ok(())),
        }
        asked
    }

    async fn ask_once(&self, call: Call<'_>) -> RedisResult<Vec<Value>> {
        let (number, mut connection) = self.current().await?;
        let asked = call.send(&mut connection).await;
        if let Err(error) = &asked
            && is_unserved(error)
        {
            self.give_up(number, error).await;
        }
        asked
    }
}

/// What is sent.
#[derive(Clone, Copy)]
enum Call<'call> {
    Command(&'call Cmd),
    Pipeline(&'call Pipeline, usize, usize),
}

impl Call<'_> {
    async fn send(self, to: &mut MultiplexedConnection) -> RedisResult<Vec<Value>> {
        let values = match self {
            Self::Command(command) => vec![to.send_packed_command(command).await?.extract_error()?],
            Self::Pipeline(pipeline, offset, count) => {
                to.send_packed_commands(pipeline, offset, count).await?
            }
        };
        // A server that does not serve refuses the first command of a pipeline already.
        match values.first() {
            Some(Value::ServerError(first)) if is_unserved(&first.clone().into()) => {
                Err(first.clone().into())
            }
            _ => Ok(values),
        }
    }
}

fn is_refused_entry(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed
}

async fn connect(route: &Route, patience: Patience) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience.connect))
        .set_response_timeout(Some(patience.answer));
    route.locate(patience.connect).await?;
    route.client().get_multiplexed_async_connection_with_config(&config).await
}

impl ConnectionLike for SharedConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let mut values = self.ask(Call::Command(cmd)).await?;
            Ok(values.pop().unwrap_or(Value::Nil))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.ask(Call::Pipeline(pipeline, offset, count)))
    }

    fn get_db(&self) -> i64 {
        self.0.db
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_spread_from_nothing_to_the_doubled_one_and_have_an_end() {
        let (first, longest) = PAUSES;
        for tries in [0, 1, 3, 40] {
            let most = first.saturating_mul(2_u32.saturating_pow(tries.min(16))).min(longest);
            let mut drawn: Vec<Duration> = (0..200).map(|_| pause(tries)).collect();
            drawn.sort_unstable();
            assert!(drawn[199] <= most, "{:?} of {most:?}", drawn[199]);
            assert!(drawn[20] < most / 4 && drawn[180] > most * 3 / 4, "{tries}: {drawn:?}");
        }
    }
}
