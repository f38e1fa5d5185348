//! A store goes in; as much of it as a purge needs comes out.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use providers::store::Store;
use queue::JobFiles;
use stillcast_enqueue::JobId;

/// The files of jobs.
pub(crate) struct StoredFiles(pub(crate) Arc<dyn Store>);

#[async_trait]
impl JobFiles for StoredFiles {
    async fn remove(&self, tenant: &str, job: &JobId) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.purge(tenant, job).await?;
        Ok(())
    }
}
