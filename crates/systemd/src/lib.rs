//! What a program knows of itself goes in; its service manager hears that it is ready, that it still
//! turns, and that it ends, as `sd_notify(3)` says.
//!
//! Where no service manager has asked to be told, nothing is told, and nothing is different.

#![warn(missing_docs)]

mod datagram;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// Where the service manager listens.
const SOCKET: &str = "NOTIFY_SOCKET";
/// How long it waits for a sign of life, in microseconds, and whose.
const WATCHDOG: &str = "WATCHDOG_USEC";
const WATCHDOG_OF: &str = "WATCHDOG_PID";
/// A service manager that is itself stuck must not hold up a worker.
const SEND: Duration = Duration::from_secs(5);

/// Why a service manager cannot be told anything.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemdError {
    /// The variable holds what no service manager sets.
    #[error("{name}={value}: is not what a service manager sets; unset it")]
    Variable {
        /// Which one.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// Nobody listens there.
    #[error("{SOCKET}: nobody listens there; unset it where no service manager runs: {0}")]
    Socket(#[from] std::io::Error),
}

/// Who has started this program and wants to be told. Clones tell the same one.
#[derive(Clone, Debug, Default)]
pub struct Supervisor {
    socket: Option<Arc<UnixDatagram>>,
    /// Longest time without a sign of life.
    patience: Option<Duration>,
}

impl Supervisor {
    /// Whoever the environment names, by the values of its variables; needs a runtime of Tokio.
    pub fn new(value: impl Fn(&str) -> Option<OsString>) -> Result<Self, SystemdError> {
        let Some(address) = value(SOCKET) else { return Ok(Self::default()) };
        let socket = datagram::connect(&address)?
            .ok_or_else(|| SystemdError::Variable { name: SOCKET, value: shown(&address) })?;
        let is_other = match number(WATCHDOG_OF, &value)? {
            Some(process) => process != u64::from(std::process::id()),
            None => false,
        };
        let patience = number(WATCHDOG, &value)?.map(Duration::from_micros);
        let patience = patience.filter(|patience| !is_other && !patience.is_zero());
        Ok(Self { socket: Some(Arc::new(socket)), patience })
    }

    /// The program does its work from now on; `status` is a line for people, without private text.
    pub async fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}")).await;
    }

    /// The program ends, which takes `longest` at most; nobody else's patience may be shorter.
    pub async fn stopping(&self, longest: Duration) {
        let longest = longest.as_micros();
        self.tell(&format!("STOPPING=1\nSTATUS=ending\nEXTEND_TIMEOUT_USEC={longest}")).await;
    }

    /// Gives a sign of life twice in the time that the service manager waits for one, as long as
    /// `is_well`, until it is dropped. A runtime that is stuck gives none either.
    pub fn watch(&self, is_well: impl Fn() -> bool + Send + 'static) -> JoinSet<()> {
        let mut watch = JoinSet::new();
        if let Some(patience) = self.patience {
            let supervisor = self.clone();
            watch.spawn(async move { supervisor.keep_alive(patience / 2, is_well).await });
        }
        watch
    }

    async fn keep_alive(&self, pause: Duration, is_well: impl Fn() -> bool) {
        let mut turns = interval(pause.max(Duration::from_millis(1)));
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            if is_well() {
                self.tell("WATCHDOG=1").await;
            }
        }
    }

    /// Nothing ends because the service manager does not listen: it will see for itself.
    async fn tell(&self, words: &str) {
        let Some(socket) = &self.socket else { return };
        match timeout(SEND, socket.send(words.as_bytes())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!("the service manager was not told: {error}"),
            Err(_) => tracing::warn!("the service manager takes no message"),
        }
    }
}

/// A whole number out of the environment.
fn number(
    name: &'static str,
    value: &impl Fn(&str) -> Option<OsString>,
) -> Result<Option<u64>, SystemdError> {
    let Some(text) = value(name) else { return Ok(None) };
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| SystemdError::Variable { name, value: shown(&text) })
}

fn shown(value: &OsString) -> String {
    value.to_string_lossy().into_owned()
}
