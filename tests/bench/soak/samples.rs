//! Redis, the workers and the server are looked at again and again; what they hold in memory, and how far the
//! queue has come, is written down, a line a look.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use queue::QueueStats;
use serde::{Deserialize, Serialize};
// Not the module of this file.
use ::tests::server::Server;

/// One look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The run of the program, from 1.
    pub(crate) run: usize,
    /// Seconds since it began.
    pub(crate) at_s: f64,
    /// Jobs that were done by then, their records removed or not.
    pub(crate) done: u64,
    /// Records of them that are kept.
    pub(crate) records: u64,
    /// What is held in memory, in bytes: by the data of Redis, each worker, the server.
    pub(crate) memory: Memory,
    /// Of a hundred scripts 99 were quicker, in ms, since Redis was started.
    pub(crate) script_p99_ms: f64,
}

/// Bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) redis: u64,
    pub(crate) workers: Vec<u64>,
    pub(crate) serve: u64,
}

impl Memory {
    /// Each with its name.
    pub(crate) fn parts(&self) -> Vec<(String, u64)> {
        let workers = self.workers.iter().enumerate();
        let workers = workers.map(|(at, bytes)| (format!("worker {}", at + 1), *bytes));
        let others = [("redis".to_owned(), self.redis), ("serve".to_owned(), self.serve)];
        others.into_iter().chain(workers).collect()
    }
}

/// What Redis tells of itself.
pub(crate) async fn redis(server: &Server) -> anyhow::Result<(u64, f64)> {
    let info: String = server.command(&[b"INFO".as_slice(), b"everything"]).await?;
    let told = |name: &str| info.lines().find_map(|line| line.strip_prefix(name));
    let memory = told("used_memory:").context("no used_memory")?.trim().parse()?;
    // Nobody has called a script yet.
    let p99_us = told("latency_percentiles_usec_evalsha:").and_then(p99).unwrap_or_default();
    Ok((memory, p99_us / 1e3))
}

/// Of `p50=…,p99=…,p99.9=…`.
fn p99(percentiles: &str) -> Option<f64> {
    percentiles.split(',').find_map(|one| one.strip_prefix("p99="))?.trim().parse().ok()
}

/// Jobs that were done, ever: nothing else is ever removed here.
pub(crate) fn done(stats: &QueueStats) -> u64 {
    stats.states.done + stats.purged
}

/// The file of all looks.
pub(crate) struct Samples {
    path: PathBuf,
    file: File,
}

impl Samples {
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("samples.jsonl");
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Self { path, file })
    }

    pub(crate) fn write(&mut self, sample: &Sample) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(sample)?;
        line.push(b'\n');
        Ok(self.file.write_all(&line)?)
    }

    /// All of them; a line that a kill has torn is none.
    pub(crate) fn read(&self) -> anyhow::Result<Vec<Sample>> {
        let text = std::fs::read_to_string(&self.path)?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_scripts_is_read_among_others() {
        assert_eq!(p99("p50=51.1,p99=204.0,p99.9=900.1"), Some(204.0));
        assert_eq!(p99("p50=51.1,p99.9=900.1"), None);
    }
}
