//! The embedded stack's folder: what lies where in it, and who may use it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::cli_error::CliError;

/// Bytes that the kernel keeps for a socket's path, less the closing zero.
const MAX_SOCKET_PATH: usize = 107;
/// How long the children of a killed owner may take to die.
const ORPHANS_TIMEOUT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The folder, whoever uses it.
#[derive(Clone, Debug)]
pub(crate) struct Home(PathBuf);

/// The folder, ours alone until this and all that we started is gone.
#[derive(Debug)]
pub(crate) struct Claimed {
    home: Home,
    /// Each child holds a copy.
    children: File,
    _owner: File,
}

impl Home {
    /// The folder at the absolute `path`; need not exist.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("redis.sock")
    }

    pub(crate) fn redis_url(&self) -> String {
        format!("unix://{}", escape(&self.socket()))
    }

    /// Redis' data.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("redis")
    }

    pub(crate) fn redis_log(&self) -> PathBuf {
        self.0.join("redis.log")
    }

    /// Delivered files.
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Its path stands in it as it is: that is how the store reads it.
    pub(crate) fn storage_url(&self) -> String {
        format!("file://{}", self.store().display())
    }

    pub(crate) fn worker_log(&self) -> PathBuf {
        self.0.join("worker.log")
    }

    /// Whether a Redis listens in it.
    pub(crate) fn is_running(&self) -> bool {
        UnixStream::connect(self.socket()).is_ok()
    }

    /// Makes the folder, readable by its owner alone, and takes it; refuses one that is in use.
    pub(crate) async fn claim(self) -> anyhow::Result<Claimed> {
        if self.socket().as_os_str().as_bytes().len() > MAX_SOCKET_PATH {
            return Err(CliError::configuration(format!(
                "STILLCAST_HOME is too long for a socket in it: {} holds more than {} bytes",
                self.0.display(),
                MAX_SOCKET_PATH - "/redis.sock".len()
            )));
        }
        for folder in [&self.0, &self.data(), &self.store()] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        let owner = self.lock()?;
        let children = self.lock_children().await?;
        Ok(Claimed { home: self, children, _owner: owner })
    }

    fn lock(&self) -> anyhow::Result<File> {
        let path = self.0.join("lock");
        let mut file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.refuse(&path)),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(file)
    }

    fn refuse(&self, lock: &Path) -> anyhow::Error {
        let pid = std::fs::read_to_string(lock).ok().filter(|pid| !pid.is_empty());
        let holder = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
        CliError::missing(format!(
            "another stillcast{holder} is using {}: wait for it, or set STILLCAST_HOME to another \
             folder",
            self.0.display()
        ))
    }

    /// The children of a killed owner are about to die: until then they could still write.
    async fn lock_children(&self) -> anyhow::Result<File> {
        let file = open_lock(&self.0.join("children.lock"))?;
        let locked = async {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL_INTERVAL).await,
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
        };
        let patient = tokio::time::timeout(ORPHANS_TIMEOUT, locked).await;
        patient.map_err(|_| {
            CliError::missing(format!(
                "a Redis or worker that an earlier stillcast started still uses {}: end it first",
                self.0.display()
            ))
        })??;
        Ok(file)
    }
}

/// Never emptied before it is ours: it names its holder.
fn open_lock(path: &Path) -> anyhow::Result<File> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.with_context(|| path.display().to_string())
}

impl Claimed {
    /// A copy of the children's lock: nobody takes the folder until the child is gone too.
    pub(crate) fn share_lock(&self) -> std::io::Result<File> {
        self.children.try_clone()
    }

    /// A log to go on with.
    pub(crate) fn open_log(path: &Path) -> std::io::Result<File> {
        OpenOptions::new().create(true).append(true).open(path)
    }

    /// Forgets the logs of the run before.
    pub(crate) fn empty_logs(&self) -> std::io::Result<()> {
        for log in [self.redis_log(), self.worker_log()] {
            match std::fs::remove_file(log) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Deref for Claimed {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

/// A path with every byte that means something in an address escaped.
fn escape(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_escape_what_would_be_read_otherwise() {
        assert_eq!(Home::at(Path::new("/a b/#1")).redis_url(), "unix:///a%20b/%231/redis.sock");
    }

    #[tokio::test]
    async fn a_folder_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Home::at(folder.path()).claim().await.unwrap();
        let refused = Home::at(folder.path()).claim().await.unwrap_err().to_string();
        let sentence = format!("another stillcast (process {})", std::process::id());
        assert!(refused.starts_with(&sentence), "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_folder_waits_for_the_children_of_its_last_user() {
        let folder = tempfile::tempdir().unwrap();
        let first = Home::at(folder.path()).claim().await.unwrap();
        let copy = first.share_lock().unwrap();
        drop(first);
        let refused = Home::at(folder.path()).claim().await.unwrap_err().to_string();
        assert!(refused.starts_with("a Redis or worker"), "{refused}");
        drop(copy);
        assert!(Home::at(folder.path()).claim().await.is_ok());
    }

    #[tokio::test]
    async fn a_path_too_long_for_a_socket_is_refused_by_name() {
        let long = Path::new("/tmp").join("x".repeat(100));
        let error = Home::at(&long).claim().await.unwrap_err();
        assert!(error.to_string().contains("STILLCAST_HOME is too long"), "{error}");
    }
}
