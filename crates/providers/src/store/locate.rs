//! A key out of a record goes in; where its object is fetched from comes out, or what is in it.

use std::path::PathBuf;

use bytes::Bytes;
use pipeline::{ObjectKey, ProviderError};

use super::contract::Store;

/// Where an object is fetched from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of this host, which may be gone.
    File(PathBuf),
    /// An address that anybody may fetch it from, for a time.
    Address(String),
}

/// Finds the object that a record calls `key`.
pub async fn locate(store: &dyn Store, key: &str) -> Result<Location, ProviderError> {
    let key = parse(store, key)?;
    match store.path_of(&key) {
        Some(path) => Ok(Location::File(path)),
        None => store.url(&key).await.map(Location::Address),
    }
}

/// Reads a small object that a record calls `key`; `None` when it is gone.
pub async fn read(store: &dyn Store, key: &str) -> Result<Option<Bytes>, ProviderError> {
    store.get(&parse(store, key)?).await
}

fn parse(store: &dyn Store, key: &str) -> Result<ObjectKey, ProviderError> {
    ObjectKey::parse(key).map_err(|error| {
        ProviderError::permanent(store.provider(), "delivery-invalid", error.to_string())
    })
}
