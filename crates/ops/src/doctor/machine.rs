//! This machine: how many files a process may have open, its cores and what they do, and its memory, as far
//! as the control group of this process lets it have them.

use std::fs::read_to_string;
use std::path::PathBuf;
use std::thread::available_parallelism;

use nix::sys::resource::{Resource, getrlimit};

use super::finding::{Finding, Severity};
use crate::render::bytes;

/// Fewer open files than these are few: connections of jobs, of callers and of pipes.
const FILES: (f64, f64) = (1024.0, 256.0);
const FILES_CURE: &str = "raise it: `ulimit -n 65536`, LimitNOFILE= of a unit";
/// Tasks that want a core, for each that there is.
const LOAD: (f64, f64) = (4.0, f64::INFINITY);
const LOAD_CURE: &str = "lower MAX_PARALLEL_TASKS, give the workers more cores, or more hosts";
/// GiB of memory that are free: an encoder takes some hundred MiB.
const MEMORY: (f64, f64) = (0.5, 0.1);
const MEMORY_CURE: &str = "lower MAX_PARALLEL_TASKS, or give the machine or container more memory";

/// Nobody is asked: the kernel tells.
pub(super) fn look() -> Vec<Finding> {
    [files(), cores(), memory()].into_iter().flatten().collect()
}

fn files() -> Option<Finding> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let (warning, error) = FILES;
    let found = format!("{soft} may be open in a process, {hard} when it asks for it");
    let severity = Severity::below((soft + 1) as f64, warning, error);
    Some(Finding::judged("files", found, (severity, FILES_CURE)))
}

fn cores() -> Option<Finding> {
    let cores = available_parallelism().ok()?.get();
    let load: f64 = read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()?;
    let (warning, error) = LOAD;
    let found = format!("{cores} cores; {load:.1} tasks wanted one in the last minute");
    let severity = Severity::above(load / cores as f64, warning, error);
    Some(Finding::judged("cpu", found, (severity, LOAD_CURE)))
}

/// The machine's, or the control group's where that has less.
fn memory() -> Option<Finding> {
    let machine = read_to_string("/proc/meminfo").ok()?;
    let of_machine = (kib(&machine, "MemAvailable:")?, kib(&machine, "MemTotal:")?);
    let (free, all) = of_group().unwrap_or(of_machine).min(of_machine);
    let (warning, error) = MEMORY;
    let severity = Severity::below(free as f64 / f64::from(1 << 30), warning, error);
    let found = format!("{} free of {}", bytes(free), bytes(all));
    Some(Finding::judged("memory", found, (severity, MEMORY_CURE)))
}

fn kib(said: &str, name: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

/// What the control group still has, and may have at most; `None` where it is not limited.
fn of_group() -> Option<(u64, u64)> {
    let group = read_to_string("/proc/self/cgroup").ok()?;
    let path = group.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let folder = PathBuf::from("/sys/fs/cgroup").join(path);
    let number = |file: &str| read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok();
    let most = number("memory.max")?;
    Some((most.saturating_sub(number("memory.current")?), most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linux_tells_all_three() {
        assert!(files().is_some() && cores().is_some() && memory().is_some());
        assert_eq!(kib("MemTotal:  2 kB\nMemAvailable: 1 kB", "MemAvailable:"), Some(1024));
    }
}
