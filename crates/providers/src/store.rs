//! A finished file goes in; a durable copy under a key that names its bytes comes out.
//!
//! `media/<tenant>/<job>/<sha256>.<ext>` is the file, `….json` beside it the manifest, which
//! outlives the queue. `folder` keeps them on this host, `bucket` in S3; `deliver` is what both do
//! alike. Beside deliveries, both keep small objects: `work/` and `cache/`.

#[cfg(feature = "s3")]
mod bucket;
mod deliver;
mod files;
mod folder;
mod manifest;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{ArtifactStore, ObjectKey, ObjectStore, ProviderError};
use stillcast_enqueue::JobId;

#[cfg(feature = "s3")]
pub use bucket::{BucketOptions, Credentials, S3Store};
pub use deliver::Finished;
pub use folder::FileStore;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Not an address of a store.
    #[error("STORAGE_URL must be file:///an/absolute/folder without %, or s3://bucket/prefix")]
    Address,
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
    /// Other bytes lie under a key that names these.
    #[error("{0} does not hold the bytes that its name says; remove it")]
    Conflict(String),
}

/// All that a store of artifacts is: deliveries, small objects, and the care of both.
#[async_trait]
pub trait Store: ArtifactStore + ObjectStore {
    /// Puts a finished file unless its key exists with the same bytes.
    async fn put_file(&self, key: &ObjectKey, file: &Finished) -> Result<(), ProviderError>;

    /// Where people fetch the object.
    async fn url(&self, key: &ObjectKey) -> Result<String, ProviderError>;

    /// Where the object lies on this host, if it does.
    fn path_of(&self, key: &ObjectKey) -> Option<PathBuf>;

    /// Deletes what writers that died have left unfinished; says how many.
    async fn sweep(&self) -> Result<usize, ProviderError>;

    /// Writes something and takes it away again; says where.
    async fn probe(&self) -> Result<String, ProviderError>;

    /// Waits until what was given up is ended in the store too; at most `limit`.
    async fn settle(&self, _limit: Duration) {}

    /// Deletes the artifacts and manifests of a job, and its work; false when there was nothing.
    async fn purge(&self, tenant: &str, job: &JobId) -> Result<bool, ProviderError> {
        let mut deleted = 0;
        for folder in [ObjectKey::media(tenant, job), ObjectKey::work(tenant, job)] {
            let folder = folder.map_err(|error| {
                ProviderError::permanent(self.provider(), "delivery-invalid", error.to_string())
            })?;
            deleted += self.delete_prefix(&folder).await?;
        }
        Ok(deleted > 0)
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    |source| StoreError::Io { path, source }
}

#[cfg(test)]
mod tests;
