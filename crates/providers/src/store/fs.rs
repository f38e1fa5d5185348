//! A folder of this host as a store (`STORAGE_URL=file:///…`).
//!
//! A put writes a `.part`, then links it, which fails where the key exists, then unlinks the
//! `.part`: readers never see half a file, and two puts of one key agree.

mod files;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pipeline::{Listed, ObjectKey, ObjectStore, ProviderError};
use stillcast_enqueue::Identifier;

use super::address::{below, escape};
use super::blocking::blocking;
use super::contract::{Finished, Store};
use super::deliver::delivers;
use super::digest::digest;
use super::error::StoreError;
use super::options::StoreOptions;
use super::proof::Seen;

/// The name in records.
const PROVIDER: &str = "file-store";
/// A `.part` this old belongs to nobody any more.
const STALE: Duration = Duration::from_hours(1);
/// The folders of the root in which this store writes.
const AREAS: [&str; 4] = ["cache", "media", "warm", "work"];

/// A folder of this host as the store of artifacts.
#[derive(Clone, Debug)]
pub(super) struct FileStore {
    root: PathBuf,
    /// Names this process in unfinished files.
    writer: String,
    public_base_url: Option<String>,
}

impl FileStore {
    /// Opens the folder of the options, making it where it is missing.
    pub(super) fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let root = options.url.strip_prefix("file://").filter(|path| path.starts_with('/'));
        let root = root.filter(|path| !path.contains('%')).ok_or(StoreError::Address)?;
        let root = PathBuf::from(root);
        files::make(&root)?;
        let checked = Identifier::parse("writer", &options.writer);
        let writer = checked.map_err(|_| StoreError::Identifier("writer"))?.to_string();
        Ok(Self { root, writer, public_base_url: options.public_base_url.clone() })
    }

    fn at(&self, key: &ObjectKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Puts the `bytes` bytes that `fill` writes under `key` unless it exists, and looks at what
    /// the folder says of them; true when this put made it.
    pub(super) fn place(
        &self,
        key: &ObjectKey,
        bytes: u64,
        fill: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let path = self.at(key);
        path.parent().map_or(Ok(()), files::make)?;
        let made = files::put(&path, &self.writer, fill)?;
        let seen = if made { files::size(&path)? } else { Some(bytes) };
        if seen == Some(bytes) {
            return Ok(made);
        }
        // The key names other bytes, and the next try would find it taken.
        files::remove(&path)?;
        Err(StoreError::Unproven { path, seen, bytes })
    }

    fn place_file(&self, key: &ObjectKey, file: &Finished) -> Result<(), StoreError> {
        let made = self.place(key, file.bytes, |part| files::copy(&file.path, part))?;
        let path = self.at(key);
        if made || digest(&path)? == (file.bytes, file.sha256.clone()) {
            return Ok(());
        }
        Err(StoreError::Conflict(path.display().to_string()))
    }

    fn listed(&self, prefix: &ObjectKey) -> Result<Vec<Listed>, StoreError> {
        let mut all = Vec::new();
        for path in files::walk(&self.at(prefix))? {
            let key = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
            let key = key.and_then(|key| ObjectKey::parse(key).ok());
            let (Some(key), Some((bytes, age))) = (key, files::facts(&path)) else { continue };
            if !files::is_part(&path) {
                all.push(Listed { key, bytes, age });
            }
        }
        Ok(all)
    }

    async fn off_the_runtime<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let store = self.clone();
        blocking(move || work(&store)).await.map_err(|error| provider_error(&error))
    }
}

#[async_trait]
impl ObjectStore for FileStore {
    async fn get(&self, key: &ObjectKey) -> Result<Option<Bytes>, ProviderError> {
        let path = self.at(key);
        self.off_the_runtime(move |_| files::read(&path)).await
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<bool, ProviderError> {
        let key = key.clone();
        let put = move |store: &Self| {
            store.place(&key, bytes.len() as u64, |part| files::write(part, &bytes))
        };
        self.off_the_runtime(put).await
    }

    async fn copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<bool, ProviderError> {
        let (from, to) = (self.at(from), self.at(to));
        self.off_the_runtime(move |_| files::link(&from, &to)).await
    }

    async fn size(&self, key: &ObjectKey) -> Result<Option<u64>, ProviderError> {
        let path = self.at(key);
        self.off_the_runtime(move |_| files::size(&path)).await
    }

    async fn delete_prefix(&self, prefix: &ObjectKey) -> Result<usize, ProviderError> {
        let path = self.at(prefix);
        self.off_the_runtime(move |_| files::remove(&path)).await
    }

    async fn list(&self, prefix: &ObjectKey) -> Result<Vec<Listed>, ProviderError> {
        let prefix = prefix.clone();
        self.off_the_runtime(move |store| store.listed(&prefix)).await
    }
}

#[async_trait]
impl Store for FileStore {
    async fn put_file(&self, key: &ObjectKey, file: &Finished) -> Result<(), ProviderError> {
        let (key, file) = (key.clone(), file.clone());
        self.off_the_runtime(move |store| store.place_file(&key, &file)).await
    }

    async fn url(&self, key: &ObjectKey) -> Result<String, ProviderError> {
        Ok(match &self.public_base_url {
            Some(base) => below(base, key),
            None => format!("file://{}", escape(&self.at(key).display().to_string())),
        })
    }

    fn path_of(&self, key: &ObjectKey) -> Option<PathBuf> {
        Some(self.at(key))
    }

    async fn sweep(&self) -> Result<usize, ProviderError> {
        let sweep = |store: &Self| {
            let swept = AREAS.map(|area| files::sweep(&store.root.join(area), STALE));
            swept.into_iter().sum()
        };
        self.off_the_runtime(sweep).await
    }

    async fn probe(&self) -> Result<String, ProviderError> {
        let part = |store: &Self| {
            files::probe(&store.root, &store.writer)?;
            Ok(store.root.display().to_string())
        };
        self.off_the_runtime(part).await
    }
}

delivers!(FileStore);

fn provider_error(error: &StoreError) -> ProviderError {
    let message = error.to_string();
    match error {
        StoreError::Address | StoreError::LeftOut { .. } | StoreError::Identifier(_) => {
            ProviderError::permanent(PROVIDER, "delivery-invalid", message)
        }
        StoreError::Conflict(_) => ProviderError::permanent(PROVIDER, "artifact-conflict", message),
        StoreError::Unproven { seen, bytes, .. } => {
            let proven = Seen::length(*seen, *bytes).proves(PROVIDER, *bytes);
            proven
                .err()
                .unwrap_or_else(|| ProviderError::transient(PROVIDER, "store-failed", message))
        }
        StoreError::Io { source, .. } if is_refused(source) => {
            ProviderError::misconfigured(PROVIDER, "store-refused", message)
        }
        StoreError::Io { .. } => ProviderError::transient(PROVIDER, "store-failed", message),
    }
}

/// Whether no later try could do better without a person.
fn is_refused(source: &io::Error) -> bool {
    matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
