//! What Redis and this process have spent so far; the difference of two readings is the bill.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use redis::aio::ConnectionManager;
use tests::server::Server;

/// Reads the counters.
pub(crate) struct Meter {
    connection: ConnectionManager,
}

/// The counters; after [`Reading::since`], what each job cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// CPU of Redis' one thread, in µs.
    pub(crate) redis_us: f64,
    /// Commands, those inside scripts counted too.
    pub(crate) commands: f64,
    /// Scripts among them.
    pub(crate) scripts: f64,
    /// Memory in use, in bytes.
    pub(crate) memory: f64,
    /// The append-only file, in bytes.
    pub(crate) log: f64,
    /// CPU of this process, in µs.
    pub(crate) process_us: f64,
}

impl Meter {
    pub(crate) async fn new(server: &Server) -> anyhow::Result<Self> {
        Ok(Self { connection: server.connection().await? })
    }

    pub(crate) async fn read(&mut self) -> anyhow::Result<Reading> {
        let info: String =
            redis::cmd("INFO").arg("everything").query_async(&mut self.connection).await?;
        let field = |name: &str| -> f64 {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|text| text.trim().parse().ok()).unwrap_or_default()
        };
        let cpu = field("used_cpu_sys_main_thread") + field("used_cpu_user_main_thread");
        let process: Duration = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into();
        Ok(Reading {
            redis_us: cpu * 1e6,
            commands: info.lines().filter_map(calls).sum(),
            scripts: info
                .lines()
                .filter(|line| line.starts_with("cmdstat_eval"))
                .filter_map(calls)
                .sum(),
            memory: field("used_memory"),
            log: field("aof_current_size"),
            process_us: process.as_secs_f64() * 1e6,
        })
    }
}

/// The calls in a line such as `cmdstat_hget:calls=3,usec=4,…`; asking for them is not counted.
fn calls(line: &str) -> Option<f64> {
    let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    if name == "info" { None } else { numbers.split(',').next()?.parse().ok() }
}

impl Reading {
    /// What each of `jobs` cost since `before`.
    pub(crate) fn since(&self, before: &Self, jobs: usize) -> Self {
        let each = |now: f64, then: f64| (now - then) / jobs as f64;
        Self {
            redis_us: each(self.redis_us, before.redis_us),
            commands: each(self.commands, before.commands),
            scripts: each(self.scripts, before.scripts),
            memory: each(self.memory, before.memory),
            log: each(self.log, before.log),
            process_us: each(self.process_us, before.process_us),
        }
    }
}
