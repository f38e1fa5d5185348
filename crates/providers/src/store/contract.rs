//! A file or a key goes in; a store keeps it, finds it or takes it away: what both kinds of store can
//! do, beside what the pipeline asks of them.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{ArtifactStore, ObjectKey, ObjectStore, ProviderError};
use stillcast_enqueue::JobId;

/// A finished file and what there is to know of it.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Where it lies.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Its digest, in hexadecimal digits.
    pub sha256: String,
    /// What it is.
    pub content_type: &'static str,
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

    /// What the store was found not to know, for people; nothing while it has not been used.
    fn lacks(&self) -> Option<&'static str> {
        None
    }

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
