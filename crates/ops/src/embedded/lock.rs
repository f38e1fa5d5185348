//! The embedded stack's folder goes in; locked for one user, it comes out.
//!
//! Two locks: `lock` is held by this process alone, `children.lock` by its children too, so that it is
//! free only when the last of them is gone.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::home::Home;
use crate::cli_error::CliError;

/// Bytes that the kernel keeps for a socket's path, less the closing zero.
const MAX_SOCKET_PATH: usize = 107;
/// How long the children of a killed owner may take to die.
const ORPHANS_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The folder, ours alone until this and all that we started is gone.
#[derive(Debug)]
pub(super) struct LockedHome {
    home: Home,
    /// Each child holds a copy.
    children: File,
    _owner: File,
}

impl LockedHome {
    /// Makes the folder, readable by its owner alone, and locks it. Refuses one that is in use; waits
    /// for the children of a killed owner, at most 10 s.
    pub(super) async fn lock(home: Home) -> anyhow::Result<Self> {
        check_socket_path(&home)?;
        for folder in [home.path(), &home.data(), &home.store()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        let owner = lock_for_owner(&home)?;
        let children = lock_for_children(&home).await?;
        Ok(Self { home, children, _owner: owner })
    }

    /// A copy of the children's lock: nobody takes the folder until the child is gone too.
    pub(super) fn share_lock(&self) -> std::io::Result<File> {
        self.children.try_clone()
    }
}

impl Deref for LockedHome {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

fn check_socket_path(home: &Home) -> anyhow::Result<()> {
    if home.socket().as_os_str().as_bytes().len() <= MAX_SOCKET_PATH {
        return Ok(());
    }
    Err(CliError::configuration(format!(
        "STILLCAST_HOME is too long for a socket in it: {} holds more than {} bytes",
        home.path().display(),
        MAX_SOCKET_PATH - "/redis.sock".len()
    )))
}

fn lock_for_owner(home: &Home) -> anyhow::Result<File> {
    let path = home.path().join("lock");
    let mut file = open_lock(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(home, &path)),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    write!(file, "{}", std::process::id())?;
    Ok(file)
}

fn in_use(home: &Home, lock: &Path) -> anyhow::Error {
    let pid = std::fs::read_to_string(lock).ok().filter(|pid| !pid.is_empty());
    let holder = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
    CliError::missing(format!(
        "another stillcast{holder} is using {}: wait for it, or set STILLCAST_HOME to another \
         folder",
        home.path().display()
    ))
}

/// The children of a killed owner are about to die: until then they could still write.
async fn lock_for_children(home: &Home) -> anyhow::Result<File> {
    let file = open_lock(&home.path().join("children.lock"))?;
    let locked = tokio::time::timeout(ORPHANS_TIMEOUT, wait_for_lock(&file)).await;
    locked.map_err(|_| {
        CliError::missing(format!(
            "a Redis or worker that an earlier stillcast started still uses {}: end it first",
            home.path().display()
        ))
    })??;
    Ok(file)
}

async fn wait_for_lock(file: &File) -> std::io::Result<()> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL_INTERVAL).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Opens a lock's file without emptying it: until it is locked, it names its holder.
fn open_lock(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let _first = LockedHome::lock(Home::at(folder.path())).await.unwrap();
        let refused = LockedHome::lock(Home::at(folder.path())).await.unwrap_err().to_string();
        let sentence = format!("another stillcast (process {})", std::process::id());
        assert!(refused.starts_with(&sentence), "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_waits_for_the_children_of_its_last_user() {
        let folder = tempfile::tempdir().unwrap();
        let first = LockedHome::lock(Home::at(folder.path())).await.unwrap();
        let copy = first.share_lock().unwrap();
        drop(first);
        let refused = LockedHome::lock(Home::at(folder.path())).await.unwrap_err().to_string();
        assert!(refused.starts_with("a Redis or worker"), "{refused}");
        drop(copy);
        assert!(LockedHome::lock(Home::at(folder.path())).await.is_ok());
    }

    #[tokio::test]
    async fn a_path_too_long_for_a_socket_is_refused_by_name() {
        let long = Path::new("/tmp").join("x".repeat(100));
        let error = LockedHome::lock(Home::at(&long)).await.unwrap_err();
        assert!(error.to_string().contains("STILLCAST_HOME is too long"), "{error}");
    }
}
