//! `REDIS_…`, `QUEUE_NAME`, `MAX_PARALLEL_TASKS`, `LEASE_TTL`, `DRAIN_TIMEOUT` and `PROBE_INTERVAL`
//! go in; where jobs come from, and how many at once, comes out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use settings::Reader;
use stillcast_enqueue::{Identifier, address};

/// Most jobs at once that a process is meant for.
const MAX_TASKS: usize = 1024;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

/// Where jobs come from, and how many at once.
#[derive(Debug)]
pub(crate) struct QueueConfig {
    /// Its Redis; may hold a password.
    pub(crate) redis_url: SecretString,
    /// Whom to trust at any Redis with TLS, when not the system's authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// Its name.
    pub(crate) name: String,
    /// Jobs at once.
    pub(crate) slots: usize,
    /// The length of a lease.
    pub(crate) lease_ttl: Duration,
    /// How long running jobs may go on after the first signal.
    pub(crate) drain_timeout: Duration,
    /// Between two probes of a provider that refuses this worker.
    pub(crate) probe_interval: Duration,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader) -> Option<QueueConfig> {
    let ca_file = reader.optional("redis_ca_file", ca_file);
    let hint = "it names the queue's Redis, such as redis://host:6379/0";
    let redis_url = reader.required("redis_url", hint, redis_url);
    let name = reader.read("queue_name", queue_name);
    let slots = reader.count("max_parallel_tasks", 1..=MAX_TASKS);
    let lease_ttl = reader.duration("lease_ttl", SECOND..=Duration::from_hours(1));
    let drain_timeout = reader.duration("drain_timeout", Duration::ZERO..=DAY);
    let probe_interval = reader.duration("probe_interval", SECOND..=DAY);
    Some(QueueConfig {
        redis_url: trusting(&redis_url?, ca_file.as_deref()),
        ca_file,
        name: name?,
        slots: slots?,
        lease_ttl: lease_ttl?,
        drain_timeout: drain_timeout?,
        probe_interval: probe_interval?,
    })
}

/// The address of a Redis, whoever's it is.
pub(super) fn redis_url(text: &str) -> Result<String, String> {
    settings::address::redis(text)
}

/// The address, with whom to trust there.
pub(super) fn trusting(url: &str, ca_file: Option<&Path>) -> SecretString {
    ca_file.map_or_else(|| url.to_owned(), |file| address::with_ca_file(url, file)).into()
}

fn ca_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    // Without TLS there is nothing to try it with, and the setting is refused as such.
    if !cfg!(feature = "tls") {
        return Ok(path);
    }
    address::check_ca_file(&path).map_err(|error| error.to_string())?;
    Ok(path)
}

fn queue_name(text: &str) -> Result<String, String> {
    let checked = Identifier::parse("queue_name", text);
    checked.map(|name| name.to_string()).map_err(|_| "is letters, digits, `.`, `_`, `-`".to_owned())
}
