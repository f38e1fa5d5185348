//! What this machine, or the container in it, has goes in; how much of it one process may write comes
//! out.

use std::fs::read_to_string;

/// No attempt does with less.
const LEAST: u64 = 256 << 20;
/// Where the kernel says how much a container has, in bytes; one that has no limit says a word, or a number
/// beyond any machine.
const CONTAINER: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// At most `most` bytes, and half of what there is: whoever ends a whole container when its memory runs
/// out must have no reason to.
pub fn share_of_memory(most: u64) -> u64 {
    let container = CONTAINER.into_iter().filter_map(|path| read_to_string(path).ok());
    let container = container.filter_map(|text| text.trim().parse().ok());
    let machine = read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    share(most, container.chain(machine))
}

fn share(most: u64, there_is: impl IntoIterator<Item = u64>) -> u64 {
    let halves = there_is.into_iter().map(|bytes| bytes / 2);
    halves.fold(most, u64::min).max(LEAST)
}

/// The total of `/proc/meminfo`, in bytes.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_half_of_what_there_is_and_never_more_than_it_should() {
        let gib = 1 << 30;
        assert_eq!(share(2 * gib, [16 * gib]), 2 * gib);
        assert_eq!(share(2 * gib, [16 * gib, gib]), gib / 2);
        assert_eq!(share(2 * gib, [1 << 20]), LEAST);
        assert_eq!(share(2 * gib, []), 2 * gib);
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       2048 kB\n"), Some(2 << 20));
        assert!(share_of_memory(u64::MAX) < u64::MAX, "this machine has some");
    }
}
