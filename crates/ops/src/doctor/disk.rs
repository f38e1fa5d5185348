//! The disks of this machine on which jobs are made and, where the store is a folder, kept.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use tokio::task::spawn_blocking;

use super::finding::{Finding, Severity};
use crate::config::Config;
use crate::render::bytes;

/// GiB that are free: a film of an hour takes some hundred MiB while it is made.
const FREE: (f64, f64) = (2.0, 0.25);
const CURE: &str = "free some room there, or set STILLCAST_HOME (STORAGE_URL) to a larger disk";

pub(super) async fn ask(config: &Config) -> Vec<Finding> {
    let store = config.storage_url.as_deref().and_then(|url| url.strip_prefix("file://"));
    let folders = [Some(config.home.clone()), store.map(PathBuf::from)];
    // A disk of the network that is away would keep its caller.
    let looked =
        spawn_blocking(move || folders.into_iter().flatten().map(|at| look(&at)).collect());
    looked.await.unwrap_or_default()
}

fn look(folder: &Path) -> Finding {
    // What is not there yet will lie on the disk of what is.
    let nearest = folder.ancestors().find(|at| at.exists()).unwrap_or(folder);
    let seen = match statvfs(nearest) {
        Ok(seen) => seen,
        Err(error) => {
            let found = format!("{}: {error}", folder.display());
            return Finding::error("disk", found, CURE);
        }
    };
    let (block, free, all) = (seen.fragment_size(), seen.blocks_available(), seen.blocks());
    let (free, all) = (free.saturating_mul(block), all.saturating_mul(block));
    let (warning, error) = FREE;
    let severity = Severity::below(free as f64 / f64::from(1 << 30), warning, error);
    let found = format!("{} free of {} at {}", bytes(free), bytes(all), folder.display());
    Finding::judged("disk", found, (severity, CURE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_lies_on_the_disk_of_its_parent() {
        let there = look(Path::new("/proc/1"));
        let none = look(Path::new("/proc/none/such"));
        // That file system has no room at all.
        assert_eq!(there.severity, Severity::Error, "{there:?}");
        assert_eq!((none.severity, none.cure), (there.severity, there.cure));
    }
}
