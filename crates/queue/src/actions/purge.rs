//! An ended job goes in; its files go first and its record last, so that a purge cut short can be
//! repeated.

use std::error::Error;

use async_trait::async_trait;
use stillcast_enqueue::{InvalidField, JobId};

use crate::{Actor, Inspector, PurgeAnswer, QueueError};

/// The store of the jobs' files, as far as a purge needs it.
#[async_trait]
pub trait JobFiles: Send + Sync {
    /// Removes every file of the job: what was delivered, and unfinished work. Succeeds when there is
    /// none.
    async fn remove(&self, tenant: &str, job: &JobId) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// Why a purge broke off. It may be repeated: the record still says where the files are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PurgeError {
    /// The queue could not be asked.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The job's name cannot be part of a path.
    #[error(transparent)]
    Identifier(#[from] InvalidField),
    /// The job belongs to another tenant than the caller named.
    #[error("{id} is a job of another tenant")]
    OtherTenant {
        /// The job.
        id: String,
    },
    /// The store refused to remove the files.
    #[error("the files of {id} stay, and so does its record")]
    Files {
        /// The job.
        id: String,
        /// What the store said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Removes the ended job `id`, files and record; leaves a job that has not ended alone.
///
/// `actor` is who removes it, for the audit. With a `tenant`, only a job of that tenant. Where the record is gone already, only `tenant` tells
/// where the files are: without one, such a job is unknown.
pub async fn purge(
    inspector: &Inspector,
    files: &dyn JobFiles,
    id: &str,
    tenant: Option<&str>,
    actor: &Actor,
) -> Result<PurgeAnswer, PurgeError> {
    let Some(record) = inspector.record(id).await? else {
        let Some(tenant) = tenant else { return Ok(PurgeAnswer::Unknown) };
        remove(files, tenant, id).await?;
        return Ok(PurgeAnswer::Purged);
    };
    if tenant.is_some_and(|tenant| tenant != record.tenant) {
        return Err(PurgeError::OtherTenant { id: id.to_owned() });
    }
    if !record.state.is_terminal() {
        return Ok(PurgeAnswer::NotEnded(record.state));
    }
    remove(files, &record.tenant, id).await?;
    Ok(inspector.purge(id, actor).await?)
}

async fn remove(files: &dyn JobFiles, tenant: &str, id: &str) -> Result<(), PurgeError> {
    let removed = files.remove(tenant, &JobId::parse(id)?).await;
    removed.map_err(|source| PurgeError::Files { id: id.to_owned(), source })
}
