//! A process identifier goes in; what that process has used comes out of `/proc`.
//!
//! A finished child that nobody has reaped yet still shows its CPU time, but no longer its memory:
//! so CPU is read once at the end, and the peak of memory is sampled while it lives.

use std::time::Duration;

use nix::unistd::Pid;

/// `/proc` counts CPU time in ticks of this length on every Linux that we run on (`USER_HZ` 100).
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time of `pid` and its reaped children; zero when it cannot be read.
pub(crate) fn cpu_time(pid: Pid) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    ticks(&stat)
        .map_or(Duration::ZERO, |ticks| Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND))
}

/// utime + stime + cutime + cstime: fields 14 to 17, counted behind the parenthesised name.
fn ticks(stat: &str) -> Option<u64> {
    let behind_name = stat.rsplit_once(')')?.1;
    let fields: Vec<&str> = behind_name.split_whitespace().skip(11).take(4).collect();
    fields.iter().map(|field| field.parse::<u64>().ok()).sum()
}

/// The highest resident memory of `pid` so far, in bytes; none once it has exited.
pub(crate) fn peak_memory(pid: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 9 8 7 6 30 12 5 3 20 0 1 0";
        assert_eq!(ticks(stat), Some(50));
        assert_eq!(ticks("7 (a) S"), Some(0));
        assert_eq!(ticks(""), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(peak_memory(nix::unistd::getpid()).is_some_and(|bytes| bytes > 100_000));
    }
}
