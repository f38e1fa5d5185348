//! An address goes in; the store behind it comes out: the one place that tells a folder from a
//! bucket.

use std::sync::Arc;

use super::contract::Store;
use super::error::StoreError;
#[cfg(feature = "fs")]
use super::fs::FileStore;
use super::options::StoreOptions;
#[cfg(feature = "s3")]
use super::s3::S3Store;

/// Opens the store that the options name. A folder is made where it is missing, so that this blocks
/// for a moment: open before anything is served. A bucket is not asked before its first use.
pub async fn open(options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    match options.url.split_once("://") {
        Some(("file", _)) => folder(options),
        Some(("s3", _)) => bucket(options).await,
        _ => Err(StoreError::Address),
    }
}

#[cfg(feature = "fs")]
fn folder(options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(FileStore::open(options)?))
}

#[cfg(not(feature = "fs"))]
fn folder(_: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(StoreError::LeftOut { scheme: "file", feature: "fs" })
}

#[cfg(feature = "s3")]
async fn bucket(options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(S3Store::open(options).await?))
}

#[cfg(not(feature = "s3"))]
fn bucket(_: &StoreOptions) -> std::future::Ready<Result<Arc<dyn Store>, StoreError>> {
    std::future::ready(Err(StoreError::LeftOut { scheme: "s3", feature: "s3" }))
}
