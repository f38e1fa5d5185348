//! A finished file goes in; the same file under a key that names its bytes comes out, with its
//! manifest beside it: what both stores do alike.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use pipeline::{Answer, Media, ObjectKey, ProviderError, UploadTarget, Usage};
use stillcast_enqueue::{Artifact, Format};

use super::{Store, StoreError, files, manifest};

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

/// Makes a store of objects one of artifacts. By a macro, since no trait of ours may implement the
/// pipeline's for all its own.
macro_rules! delivers {
    ($store:ty) => {
        #[async_trait::async_trait]
        impl pipeline::ArtifactStore for $store {
            fn provider(&self) -> &'static str {
                PROVIDER
            }

            async fn put(
                &self,
                delivery: &pipeline::UploadTarget,
                media: &pipeline::Media,
            ) -> Result<pipeline::Answer<stillcast_enqueue::Artifact>, pipeline::ProviderError>
            {
                $crate::store::deliver::deliver(self, delivery, media).await
            }

            async fn adopt(
                &self,
                delivery: &pipeline::UploadTarget,
                delivered: &stillcast_enqueue::Artifact,
            ) -> Result<
                Option<pipeline::Answer<stillcast_enqueue::Artifact>>,
                pipeline::ProviderError,
            > {
                $crate::store::deliver::adopt(self, delivery, delivered).await
            }
        }
    };
}
pub(super) use delivers;

/// Delivers a file and its manifest.
pub(super) async fn deliver<S: Store>(
    store: &S,
    delivery: &UploadTarget,
    media: &Media,
) -> Result<Answer<Artifact>, ProviderError> {
    let file = measure(store, media, delivery.format).await?;
    let key = key(store, delivery, &file.sha256)?;
    store.put_file(&key, &file).await?;
    let artifact = Artifact {
        url: store.url(&key).await?,
        path: store.path_of(&key).map(|path| path.display().to_string()),
        bytes: file.bytes,
        content_type: file.content_type.to_owned(),
        duration_s: media.duration_s,
        sha256: file.sha256,
        key: key.to_string(),
    };
    describe(store, delivery, &key, &artifact).await?;
    let usage = Usage::default().and("bytes", artifact.bytes as f64);
    Ok(Answer { value: artifact, usage })
}

/// Delivers what lies in the store already; `None` when it is gone or not what it was.
pub(super) async fn adopt<S: Store>(
    store: &S,
    delivery: &UploadTarget,
    delivered: &Artifact,
) -> Result<Option<Answer<Artifact>>, ProviderError> {
    let from = ObjectKey::parse(&delivered.key).map_err(|error| invalid(store, &error))?;
    if store.size(&from).await? != Some(delivered.bytes) {
        return Ok(None);
    }
    let key = key(store, delivery, &delivered.sha256)?;
    if key != from && !store.copy(&from, &key).await? {
        return Ok(None);
    }
    let artifact = Artifact {
        url: store.url(&key).await?,
        path: store.path_of(&key).map(|path| path.display().to_string()),
        key: key.to_string(),
        ..delivered.clone()
    };
    describe(store, delivery, &key, &artifact).await?;
    Ok(Some(Answer::free(artifact)))
}

/// Puts the manifest. The first writer's stays: both tell of the same bytes.
async fn describe<S: Store>(
    store: &S,
    delivery: &UploadTarget,
    key: &ObjectKey,
    artifact: &Artifact,
) -> Result<(), ProviderError> {
    let path = Path::new(key.as_str()).with_extension("json");
    let beside = ObjectKey::parse(&path.to_string_lossy()).map_err(|e| invalid(store, &e))?;
    let manifest = Bytes::from(manifest::write(delivery, artifact));
    store.put_if_absent(&beside, manifest).await.map(drop)
}

async fn measure<S: Store>(
    store: &S,
    media: &Media,
    format: Format,
) -> Result<Finished, ProviderError> {
    let path = media.path.clone();
    let measured = blocking(move || files::digest(&path)).await;
    let (bytes, sha256) = measured.map_err(|error| {
        ProviderError::transient(store.provider(), "file-unreadable", error.to_string())
    })?;
    Ok(Finished { path: media.path.clone(), bytes, sha256, content_type: kind(format).1 })
}

fn key<S: Store>(
    store: &S,
    delivery: &UploadTarget,
    sha256: &str,
) -> Result<ObjectKey, ProviderError> {
    let folder = ObjectKey::media(&delivery.tenant, &delivery.job);
    let (extension, _) = kind(delivery.format);
    let key = folder.and_then(|folder| folder.join(&format!("{sha256}.{extension}")));
    key.map_err(|error| invalid(store, &error))
}

fn kind(format: Format) -> (&'static str, &'static str) {
    match format {
        Format::Audio => ("m4a", "audio/mp4"),
        Format::Video => ("mp4", "video/mp4"),
    }
}

fn invalid<S: Store>(store: &S, error: &pipeline::InvalidKey) -> ProviderError {
    ProviderError::permanent(store.provider(), "delivery-invalid", error.to_string())
}

/// The address of `key` below a public one.
pub(super) fn below(base: &str, key: &ObjectKey) -> String {
    format!("{}/{key}", base.trim_end_matches('/'))
}

/// A path as part of a URL.
pub(super) fn escape(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let escaped = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    path.bytes().map(escaped).collect()
}

/// Does work that blocks, away from the threads of the runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|failure| {
        Err(StoreError::Io { path: PathBuf::new(), source: io::Error::other(failure) })
    })
}
