//! A Redis goes in; how it does comes out: its version and memory, how soon it answers, what its clock
//! says, and which calls were slow. Whether it is fit for a queue, `examination` says.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::{ErrorKind, RedisError, RedisResult};
use stillcast_enqueue::connection::SharedConnection;
use tokio::time::Instant;

use super::inspector::Inspector;
use super::memory::ServerNumbers;
use crate::scripts::{Scripts, Verb};
use crate::{QueueError, examination::field};

/// How often it is asked for nothing, to learn how soon it answers.
const PINGS: usize = 20;
/// Newest entries of its log of slow calls that are read.
const SLOW_CALLS: usize = 128;

/// How a Redis does.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckUp {
    /// What only `INFO` tells; `None` for a user who may not ask.
    pub told: Option<ServerTold>,
    /// Half of its answers came sooner.
    pub median: Duration,
    /// None came later.
    pub slowest: Duration,
    /// Seconds by which this machine's clock is ahead of its clock; negative behind it. At most half of
    /// an answer's time off.
    pub clock_ahead_s: f64,
    /// The calls of the last hour that it has logged as slow, the slowest first; `None` for a user who
    /// may not ask.
    pub slow: Option<Vec<SlowCall>>,
}

/// What a Redis tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTold {
    /// Its version.
    pub version: String,
    /// What it does when it is full, such as `noeviction`.
    pub policy: String,
    /// Its memory and its clients.
    pub numbers: ServerNumbers,
}

/// A call that a Redis has logged as slow; never with its values, which may be private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowCall {
    /// The script's word if it is one of ours, else the command's.
    pub what: String,
    /// How long it took.
    pub took: Duration,
}

/// An entry as Redis lists it: number, time in seconds, µs, words, client, and the client's name.
type Logged = (i64, i64, u64, Vec<Vec<u8>>, String, String);

impl Inspector {
    /// Asks a few times for nothing, and once for each fact.
    pub async fn check_up(&self) -> Result<CheckUp, QueueError> {
        let mut connection = self.connection.clone();
        let told = granted(redis::cmd("INFO").query_async::<String>(&mut connection).await)?;
        let (median, slowest) = answers(&mut connection).await?;
        let (now, clock_ahead_s) = clock(&mut connection).await?;
        let slow = granted(slow_calls(&mut connection).await)?;
        let slow = slow.map(|logged| of_last_hour(logged, now, &self.scripts));
        let told = told.map(|said| ServerTold::of(&said));
        Ok(CheckUp { told, median, slowest, clock_ahead_s, slow })
    }
}

impl ServerTold {
    fn of(said: &str) -> Self {
        Self {
            version: field(said, "redis_version").to_owned(),
            policy: field(said, "maxmemory_policy").to_owned(),
            numbers: ServerNumbers::of(said),
        }
    }
}

/// `None` of what this user may not ask, or the server does not know.
fn granted<T>(asked: RedisResult<T>) -> RedisResult<Option<T>> {
    let is_denied = |error: &RedisError| {
        error.code() == Some("NOPERM") || error.kind() == ErrorKind::UnexpectedReturnType || {
            error.detail().is_some_and(|said| said.contains("unknown command"))
        }
    };
    match asked {
        Err(error) if is_denied(&error) => Ok(None),
        asked => asked.map(Some),
    }
}

/// The median and the longest time of an answer.
async fn answers(connection: &mut SharedConnection) -> RedisResult<(Duration, Duration)> {
    let mut times = Vec::with_capacity(PINGS);
    for _ in 0..PINGS {
        let asked = Instant::now();
        let _: String = redis::cmd("PING").query_async(connection).await?;
        times.push(asked.elapsed());
    }
    times.sort_unstable();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    Ok((at(PINGS / 2), at(PINGS - 1)))
}

/// Its time, and the seconds by which ours is ahead: as it was in the middle between question and answer.
async fn clock(connection: &mut SharedConnection) -> RedisResult<(i64, f64)> {
    let (asked, before) = (Instant::now(), Utc::now());
    let (seconds, micros): (i64, u32) = redis::cmd("TIME").query_async(connection).await?;
    let middle = before + asked.elapsed() / 2;
    let theirs = DateTime::<Utc>::from_timestamp(seconds, micros.saturating_mul(1000));
    let ahead = middle.signed_duration_since(theirs.unwrap_or_default());
    Ok((seconds, ahead.as_seconds_f64()))
}

async fn slow_calls(connection: &mut SharedConnection) -> RedisResult<Vec<Logged>> {
    redis::cmd("SLOWLOG").arg("GET").arg(SLOW_CALLS).query_async(connection).await
}

fn of_last_hour(logged: Vec<Logged>, now: i64, scripts: &Scripts) -> Vec<SlowCall> {
    let recent = logged.into_iter().filter(|entry| now.saturating_sub(entry.1) <= 3600);
    let mut calls: Vec<SlowCall> = recent
        .map(|(_, _, micros, words, ..)| SlowCall {
            what: what(&words, scripts),
            took: Duration::from_micros(micros),
        })
        .collect();
    calls.sort_by_key(|call| std::cmp::Reverse(call.took));
    calls
}

/// A script by its verb, a command by its first word.
fn what(words: &[Vec<u8>], scripts: &Scripts) -> String {
    let word = |at: usize| words.get(at).map(|word| String::from_utf8_lossy(word));
    let digest = word(1).unwrap_or_default();
    let verb = Verb::all().find(|verb| scripts.digest(*verb) == digest);
    match verb {
        Some(verb) => format!("{verb:?}").to_ascii_lowercase(),
        None => word(0).unwrap_or_default().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use stillcast_enqueue::keys::Keys;

    use super::*;
    use crate::Clock;

    #[test]
    fn a_slow_call_is_told_by_its_verb_and_never_by_its_values() {
        let scripts = Scripts::new(Keys::new("q").unwrap(), Clock::Server);
        let digest = scripts.digest(Verb::Claim).to_owned();
        let entry = |at, micros, words: &[&str]| {
            let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            (1, at, micros, words, "127.0.0.1:1".to_owned(), String::new())
        };
        let logged = vec![
            entry(9_000, 12_000, &["SET", "private", "words"]),
            entry(9_990, 40_000, &["EVALSHA", &digest, "private"]),
            entry(1_000, 90_000, &["KEYS", "long ago"]),
        ];
        let told: Vec<_> = of_last_hour(logged, 10_000, &scripts)
            .into_iter()
            .map(|call| (call.what, call.took.as_millis()))
            .collect();
        assert_eq!(told, [("claim".to_owned(), 40), ("set".to_owned(), 12)]);
    }
}
