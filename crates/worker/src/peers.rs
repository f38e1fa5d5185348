//! The workers of one machine that share `STILLCAST_HOME`: each holds the lock of a file that bears its name, and
//! the kernel takes it from whoever dies. So the others, and whoever is started in its place, know for certain
//! that it is dead, long before its leases run out, and need not wait for that.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use queue::{Endpoint, Inspector};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Between two looks at the files.
const ROUND: Duration = Duration::from_millis(500);
/// Changes with each start of the machine; the same for all of its containers.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// One worker among them, until it is dropped.
pub(crate) struct Peers {
    folder: PathBuf,
    own: PathBuf,
    boot: String,
    _lock: File,
}

impl Peers {
    /// Lets the worker `name` of `queue` in, below `home`.
    pub(crate) fn join(home: &Path, queue: &str, name: &str) -> io::Result<Self> {
        let folder = home.join("workers").join(queue);
        fs::create_dir_all(&folder)?;
        let boot = fs::read_to_string(BOOT).unwrap_or_default();
        // It gets its name, by which the others know it, once it is locked.
        let (unnamed, own) = (folder.join(format!(".{name}")), folder.join(name));
        let mut lock = File::create(&unnamed)?;
        lock.try_lock()?;
        lock.write_all(boot.as_bytes())?;
        fs::rename(&unnamed, &own)?;
        Ok(Self { folder, own, boot, _lock: lock })
    }

    /// The names of those that have died since the machine was started. What an earlier start has left proves
    /// nothing: other machines may share the folder, and other kernels do not see the locks of this one.
    fn dead(&self) -> io::Result<Vec<String>> {
        let mut dead = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(".");
            // A neighbour may take a file away at any moment.
            let Ok(mut file) = File::open(&path) else { continue };
            if path == self.own || name.starts_with('.') || file.try_lock().is_err() {
                continue;
            }
            let mut boot = String::new();
            file.read_to_string(&mut boot)?;
            if boot == self.boot && !boot.is_empty() {
                dead.push(name.to_owned());
            } else {
                fs::remove_file(&path).or_else(gone)?;
            }
        }
        Ok(dead)
    }

    /// Looks for dead ones until what it answers is dropped, and has the leases of each revoked.
    pub(crate) fn watch(self: &Arc<Self>, endpoint: Endpoint, lease_ttl: Duration) -> JoinSet<()> {
        let (peers, mut rounds) = (Arc::clone(self), JoinSet::new());
        rounds.spawn(async move {
            loop {
                if let Err(error) = revoke_dead(&peers, &endpoint, lease_ttl).await {
                    tracing::warn!(
                        "the jobs of dead workers wait until their leases run out: {error:#}"
                    );
                }
                sleep(ROUND).await;
            }
        });
        rounds
    }

    /// Whoever leaves has given everything back, and is no dead one to anybody.
    pub(crate) fn leave(&self) {
        // What stays of it costs its neighbours one look.
        let _ = fs::remove_file(&self.own);
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.leave();
    }
}

async fn revoke_dead(
    peers: &Arc<Peers>,
    endpoint: &Endpoint,
    lease_ttl: Duration,
) -> anyhow::Result<()> {
    let looking = Arc::clone(peers);
    let dead = tokio::task::spawn_blocking(move || looking.dead()).await?;
    for worker in dead.context("the folder `workers` in STILLCAST_HOME")? {
        let inspector = Inspector::connect(endpoint.clone()).await?;
        let leases = inspector.revoke(&worker, lease_ttl).await?;
        if leases > 0 {
            tracing::warn!(worker, leases, "a worker of this machine has died; its jobs go on");
        }
        tokio::fs::remove_file(peers.folder.join(&worker)).await.or_else(gone)?;
    }
    Ok(())
}

/// Another one was faster.
fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_died_on_this_machine_is_dead() {
        let home = tempfile::tempdir().unwrap();
        let join = |name: &str| Peers::join(home.path(), "q", name).unwrap();
        let (anna, ben) = (join("anna"), join("ben"));
        assert_eq!(anna.dead().unwrap(), [""; 0]);

        // The kernel takes the lock of a process that was killed; its file stays.
        let of_the_dead = anna.folder.join("carl");
        fs::write(&of_the_dead, &anna.boot).unwrap();
        assert_eq!(
            (anna.dead().unwrap(), ben.dead().unwrap()),
            (vec!["carl".into()], vec!["carl".into()])
        );
        fs::write(&of_the_dead, "another start").unwrap();
        assert_eq!(anna.dead().unwrap(), [""; 0]);
        assert!(!of_the_dead.exists());

        drop(ben);
        assert_eq!(anna.dead().unwrap(), [""; 0], "who leaves is not dead");
    }
}
