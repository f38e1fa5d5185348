//! Why a store cannot be used, or a file not be kept.

use std::io;
use std::path::{Path, PathBuf};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Not an address of a store.
    #[error("STORAGE_URL must be file:///an/absolute/folder without %, or s3://bucket/prefix")]
    Address,
    /// An address of a kind that this build knows nothing of.
    #[error("{scheme}:// needs the feature `{feature}`, which this build leaves out")]
    LeftOut {
        /// What the address begins with.
        scheme: &'static str,
        /// The feature of this crate that is missing.
        feature: &'static str,
    },
    /// Not a name that may become part of a path.
    #[error("`{0}` is not an identifier")]
    Identifier(&'static str),
    /// The folder cannot be used.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder at fault.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder took the bytes and has others.
    #[error("{}: {seen:?} of {bytes} B", .path.display())]
    Unproven {
        /// The object.
        path: PathBuf,
        /// Its length, as the folder says afterwards; none where there is no file.
        seen: Option<u64>,
        /// The length of what was written.
        bytes: u64,
    },
    /// Other bytes lie under a key that names these.
    #[error("{0} does not hold the bytes that its name says; remove it")]
    Conflict(String),
}

/// Says at which path the system failed.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    |source| StoreError::Io { path, source }
}
