//! A root goes in; a locked folder for the unfinished files of one process comes out. The folders of
//! dead processes are removed on the way.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Disk, ProviderError};
use tokio::time::timeout;

const LOCK: &str = "lock";
/// Longest wait for one file.
const DISK_TIMEOUT: Duration = Duration::from_mins(1);

/// The scratch folder of one process, locked as long as this lives; removed with it.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    _lock: File,
}

/// The folder of one attempt; removed on drop.
#[derive(Debug)]
pub struct AttemptFolder(PathBuf);

impl Scratch {
    /// Makes and locks a new folder below `root`, after sweeping those that nobody locks any more.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        // One opens at a time: no sweep ever sees a new folder before its lock is taken.
        let opening = File::create(root.join(LOCK))?;
        opening.lock()?;
        sweep(root)?;
        let folder = root.join(nonce());
        fs::create_dir(&folder)?;
        let lock = File::create(folder.join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    /// An empty folder for one attempt.
    pub fn attempt(&self) -> io::Result<AttemptFolder> {
        let folder = self.folder.join(nonce());
        fs::create_dir(&folder)?;
        Ok(AttemptFolder(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

impl AttemptFolder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for AttemptFolder {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes the folders of processes that are dead: their locks can be taken.
fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let folder = entry?.path();
        let Ok(lock) = File::open(folder.join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            tracing::info!(folder = %folder.display(), "removing the scratch folder of a dead process");
            remove(&folder);
        }
    }
    Ok(())
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), "a scratch folder stays: {error}");
    }
}

fn nonce() -> String {
    format!("{:016x}", fastrand::u64(..))
}

/// The scratch folder's files, as stages use them.
#[derive(Clone, Copy, Debug)]
pub struct ScratchDisk;

#[async_trait]
impl Disk for ScratchDisk {
    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), ProviderError> {
        let written = in_time(tokio::fs::write(path, bytes)).await;
        written.map_err(|error| failed("scratch-unwritable", "written", error))
    }

    async fn read(&self, path: &Path) -> Result<Bytes, ProviderError> {
        let read = in_time(tokio::fs::read(path)).await;
        read.map(Bytes::from).map_err(|error| failed("scratch-unreadable", "read", error))
    }
}

async fn in_time<T>(errand: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(DISK_TIMEOUT, errand).await?
}

fn failed(code: &'static str, done: &str, error: io::Error) -> ProviderError {
    let message = format!("the scratch folder cannot be {done}: {error}; look at STILLCAST_HOME");
    ProviderError::transient("scratch", code, message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(root: &Path) -> usize {
        fs::read_dir(root).unwrap().count()
    }

    #[test]
    fn only_folders_of_the_dead_are_swept() {
        let root = tempfile::tempdir().unwrap();
        let living = Scratch::open(root.path()).unwrap();
        fs::write(living.attempt().unwrap().path().join("x"), "x").unwrap();
        // A process that was killed leaves its folder, and the kernel takes its lock.
        let dead = root.path().join("dead");
        fs::create_dir_all(dead.join("attempt")).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        let second = Scratch::open(root.path()).unwrap();
        assert!(!dead.exists());
        assert!(living.folder.exists() && second.folder.exists());
        drop((living, second));
        assert_eq!(entries(root.path()), 1, "only the lock stays");
    }

    #[test]
    fn an_attempt_cleans_up_behind_itself() {
        let root = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(root.path()).unwrap();
        let attempt = scratch.attempt().unwrap();
        fs::write(attempt.path().join("sound.m4a"), "x").unwrap();
        let path = attempt.path().to_owned();
        drop(attempt);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_written_is_read_and_what_cannot_be_is_told() {
        let root = tempfile::tempdir().unwrap();
        let (here, nowhere) =
            (root.path().join("speech-0.pcm"), root.path().join("gone/speech-0.pcm"));
        ScratchDisk.write(&here, Bytes::from_static(b"sound")).await.unwrap();
        assert_eq!(ScratchDisk.read(&here).await.unwrap(), Bytes::from_static(b"sound"));
        let unwritable = ScratchDisk.write(&nowhere, Bytes::new()).await.unwrap_err();
        let unreadable = ScratchDisk.read(&nowhere).await.unwrap_err();
        assert_eq!(
            (unwritable.code, unreadable.code),
            ("scratch-unwritable", "scratch-unreadable")
        );
    }
}
