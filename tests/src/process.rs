//! Processes as the kernel lists them: whose children live, and waiting until one is gone.

use anyhow::Context;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::wait::until;

/// The living children of `parent`, the oldest first.
#[must_use]
pub fn children(parent: i32) -> Vec<i32> {
    let is_child = |pid: &i32| status(*pid).is_some_and(|(state, of)| of == parent && state != 'Z');
    let mut found: Vec<i32> = processes().into_iter().filter(is_child).collect();
    found.sort_unstable();
    found
}

/// The living processes whose command line or environment holds `words`, this one apart.
#[must_use]
pub fn mentioning(words: &str) -> Vec<i32> {
    let holds = |pid: &i32, file: &str| {
        let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    let own = std::process::id().cast_signed();
    let others = processes().into_iter().filter(|pid| *pid != own);
    others.filter(|pid| holds(pid, "cmdline") || holds(pid, "environ")).collect()
}

/// Waits until the process is gone, or only its zombie is left for somebody else to reap.
pub async fn gone(pid: i32) {
    until("the process is gone", async || {
        let lives = kill(Pid::from_raw(pid), None).is_ok();
        (!lives || status(pid).is_none_or(|(state, _)| state == 'Z')).then_some(())
    })
    .await;
}

/// What a process holds in memory, in bytes.
pub fn resident(pid: i32) -> anyhow::Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: usize = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib << 10)
}

fn processes() -> Vec<i32> {
    let all = std::fs::read_dir("/proc").expect("Linux lists its processes");
    all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// A process' state and its parent.
fn status(pid: i32) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
