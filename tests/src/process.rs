//! Processes as the kernel lists them: whose children live, and waiting until one is gone.

use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Longest wait for any event; reaching it is a failure, never a pass.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The living children of `parent`, the oldest first.
#[must_use]
pub fn children(parent: i32) -> Vec<i32> {
    let all = std::fs::read_dir("/proc").expect("Linux lists its processes");
    let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut found: Vec<i32> = pids
        .filter(|pid| status(*pid).is_some_and(|(state, of)| of == parent && state != 'Z'))
        .collect();
    found.sort_unstable();
    found
}

/// Waits until the process is gone, or only its zombie is left for somebody else to reap.
pub async fn gone(pid: i32) {
    until(async || {
        let lives = kill(Pid::from_raw(pid), None).is_ok();
        (!lives || status(pid).is_none_or(|(state, _)| state == 'Z')).then_some(())
    })
    .await;
}

/// Waits until `look` finds something.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("nothing of the kind happened in time")
}

/// A process' state and its parent.
fn status(pid: i32) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
