//! The locked folder goes in; a private Redis comes out: durable, and reachable only through a socket
//! in that folder.

use std::time::Duration;

use anyhow::Context as _;
use child::{Running, Spec, Stream};
use queue::{Endpoint, Inspector};

use crate::cli_error::CliError;
use crate::embedded::lock::LockedHome;
use crate::embedded::logs;

/// How long it may take to read its data.
const READY_TIMEOUT: Duration = Duration::from_mins(2);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
const HINT: &str = "install it with: apt-get install --no-install-recommends redis-server";

/// What makes it a durable queue: no port, no eviction, every write on the disk.
const SETTINGS: [(&str, &str); 8] = [
    ("--port", "0"),
    ("--unixsocketperm", "700"),
    ("--appendonly", "yes"),
    ("--appendfsync", "always"),
    ("--save", ""),
    ("--maxmemory-policy", "noeviction"),
    ("--daemonize", "no"),
    ("--supervised", "no"),
];

/// Starts it; it does not answer yet.
pub(crate) async fn start(home: &LockedHome) -> anyhow::Result<Running> {
    let log = || logs::open(&home.redis_log()).map(Stream::File);
    let spec = Spec::new("redis-server")
        .args(SETTINGS.into_iter().flat_map(|(name, value)| [name, value]))
        .arg("--unixsocket")
        .arg(home.socket())
        .arg("--dir")
        .arg(home.data())
        .folder(home.data())
        .stdin(Stream::File(home.share_lock()?))
        .stdout(log()?)
        .stderr(log()?)
        .hint(HINT);
    Ok(spec.spawn().await?)
}

/// Connects once it answers; fails with its log when it ends before.
pub(crate) async fn wait_until_ready(
    redis: &mut Running,
    endpoint: Endpoint,
    home: &LockedHome,
) -> anyhow::Result<Inspector> {
    let connected = async {
        loop {
            // Before it listens, and while it loads, there is nothing to connect to.
            if home.is_running()
                && let Ok(inspector) = Inspector::connect(endpoint.clone()).await
            {
                return inspector;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    let inspector = unless_it_ends(redis, home, connected).await?;
    wait_for_answer(redis, &inspector, home).await?;
    Ok(inspector)
}

/// Returns once it has read its data.
pub(crate) async fn wait_for_answer(
    redis: &mut Running,
    inspector: &Inspector,
    home: &LockedHome,
) -> anyhow::Result<()> {
    let answered = async {
        while inspector.stats().await.is_err() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    unless_it_ends(redis, home, answered).await
}

/// Waits for a step of the start; fails with the log's end when Redis ends before, or takes too long.
async fn unless_it_ends<T>(
    redis: &mut Running,
    home: &LockedHome,
    step: impl Future<Output = T>,
) -> anyhow::Result<T> {
    let log = || logs::tail_of(&home.redis_log());
    tokio::select! {
        done = tokio::time::timeout(READY_TIMEOUT, step) => {
            let late = || CliError::missing(format!("the private Redis does not answer{}", log()));
            done.map_err(|_| late())
        }
        ended = redis.wait() => {
            let text = format!("the private Redis did not start{}", log());
            ended.map(drop).context(text.clone())?;
            Err(CliError::missing(text))
        }
    }
}
