//! The store of `STORAGE_URL` goes in; as much of it as a purge needs comes out.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use queue::JobFiles;
use stillcast_enqueue::JobId;

use crate::cli_error::CliError;
use crate::config::Config;
use crate::connect;
use crate::wiring::{self, Store};

/// The files of all jobs.
pub(crate) struct StoredFiles(Arc<dyn Store>);

impl StoredFiles {
    /// Opens the store that the workers of the configured queue deliver to.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let url = connect::place(config)?.storage_url.ok_or_else(|| {
            CliError::configuration("a purge removes files: set STORAGE_URL as the workers have it")
        })?;
        Ok(Self(wiring::store(&url, &config.bucket).await?))
    }
}

#[async_trait]
impl JobFiles for StoredFiles {
    async fn remove(&self, tenant: &str, job: &JobId) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.purge(tenant, job).await?;
        Ok(())
    }
}
