//! The embedded stack's folder: its path goes in; the path of each part in it comes out, and the
//! addresses under which others reach it.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The folder, whoever uses it.
#[derive(Clone, Debug)]
pub(crate) struct Home(PathBuf);

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

    /// The store's address. The path is not escaped: that is how the store reads it.
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
}
