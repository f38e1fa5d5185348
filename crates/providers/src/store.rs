//! A finished file goes in; a durable copy under a key that names its bytes comes out, in a folder
//! of this host (`STORAGE_URL=file:///…`).
//!
//! `media/<tenant>/<job>/<sha256>.<ext>` is the file, `….json` beside it the manifest, which
//! outlives the queue. A put writes a `.part`, then links it, which fails where the key exists, then
//! unlinks the `.part`: readers never see half a file, and two puts of one key agree.

mod files;
mod manifest;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Answer, ArtifactStore, Delivery, ProviderError, Usage};
use stillcast_enqueue::{Artifact, Format, Identifier, JobId};

const PROVIDER: &str = "file-store";
/// A `.part` this old belongs to nobody any more.
const STALE: Duration = Duration::from_hours(1);

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Not an address of a folder.
    #[error("STORAGE_URL must be file:///an/absolute/folder, without %")]
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
    /// Another file lies under a key that names these bytes.
    #[error("{} does not hold the bytes that its name says; remove it", .0.display())]
    Conflict(PathBuf),
}

/// A folder of this host as the store of artifacts.
#[derive(Clone, Debug)]
pub struct FileStore {
    root: PathBuf,
    worker: String,
    public_base_url: Option<String>,
}

impl FileStore {
    /// Opens the folder that `url` names, making it where it is missing. `worker` names this
    /// process in unfinished files. Calls block: open before anything is served.
    pub fn open(url: &str, worker: &str) -> Result<Self, StoreError> {
        let root = url.strip_prefix("file://").filter(|path| path.starts_with('/'));
        let root = root.filter(|path| !path.contains('%')).ok_or(StoreError::Address)?;
        let root = PathBuf::from(root);
        files::make(&root)?;
        let worker = identifier("worker", worker)?;
        Ok(Self { root, worker, public_base_url: None })
    }

    /// Gives artifacts a URL below `base` (`PUBLIC_BASE_URL`) instead of `file://`.
    #[must_use]
    pub fn with_public_base_url(self, base: impl Into<String>) -> Self {
        Self { public_base_url: Some(base.into()), ..self }
    }

    /// Deletes what writers that died have left: `.part` files older than an hour. Returns how many.
    pub fn sweep(&self) -> Result<usize, StoreError> {
        files::sweep(&self.root.join("media"), STALE)
    }

    /// Deletes the artifacts and manifests of a job; false when there were none.
    pub async fn purge(&self, tenant: &str, job: &JobId) -> Result<bool, StoreError> {
        let folder = self.root.join(folder(tenant, job)?);
        blocking(move || files::remove(&folder)).await
    }

    /// Where the object under `key` lies.
    pub fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    fn place(&self, delivery: &Delivery) -> Result<Artifact, StoreError> {
        let (bytes, sha256) = files::digest(&delivery.media.path)?;
        let (extension, content_type) = kind(delivery.format);
        let folder = folder(&delivery.tenant, &delivery.job)?;
        let key = format!("{folder}/{sha256}.{extension}");
        let path = self.path(&key);
        let artifact = Artifact {
            url: self.url(&key),
            path: Some(path.display().to_string()),
            bytes,
            content_type: content_type.to_owned(),
            duration_s: delivery.media.duration_s,
            sha256,
            key,
        };
        files::make(&self.root.join(folder))?;
        files::put(&path, &self.worker, |part| files::copy(&delivery.media.path, part))?;
        if files::digest(&path)? != (bytes, artifact.sha256.clone()) {
            return Err(StoreError::Conflict(path));
        }
        // The first writer's manifest stays: both tell of the same bytes.
        let manifest = manifest::write(delivery, &artifact);
        files::put(&path.with_extension("json"), &self.worker, |part| {
            files::write(part, &manifest)
        })?;
        Ok(artifact)
    }

    fn url(&self, key: &str) -> String {
        match &self.public_base_url {
            Some(base) => format!("{}/{key}", base.trim_end_matches('/')),
            None => format!("file://{}", escape(&self.path(key).display().to_string())),
        }
    }
}

#[async_trait]
impl ArtifactStore for FileStore {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    async fn put(&self, delivery: &Delivery) -> Result<Answer<Artifact>, ProviderError> {
        let (store, delivery) = (self.clone(), delivery.clone());
        let artifact = blocking(move || store.place(&delivery))
            .await
            .map_err(|error| provider_error(&error))?;
        let usage = Usage::default().and("bytes", artifact.bytes as f64);
        Ok(Answer { value: artifact, usage })
    }
}

fn kind(format: Format) -> (&'static str, &'static str) {
    match format {
        Format::Audio => ("m4a", "audio/mp4"),
        Format::Video => ("mp4", "video/mp4"),
    }
}

/// The folder of a job, relative to the root.
fn folder(tenant: &str, job: &JobId) -> Result<String, StoreError> {
    Ok(format!("media/{}/{job}", identifier("tenant", tenant)?))
}

fn identifier(field: &'static str, text: &str) -> Result<String, StoreError> {
    let checked = Identifier::parse(field, text).map_err(|_| StoreError::Identifier(field))?;
    Ok(checked.to_string())
}

/// A path as part of a URL.
fn escape(path: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(byte);
    path.bytes()
        .map(
            |byte| {
                if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| {
        Err(StoreError::Io { path: PathBuf::new(), source: io::Error::other(failure) })
    })
}

fn provider_error(error: &StoreError) -> ProviderError {
    let message = error.to_string();
    match error {
        StoreError::Address | StoreError::Identifier(_) => {
            ProviderError::permanent(PROVIDER, "delivery-invalid", message)
        }
        StoreError::Conflict(_) => ProviderError::permanent(PROVIDER, "artifact-conflict", message),
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

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    |source| StoreError::Io { path, source }
}

#[cfg(test)]
mod tests;
