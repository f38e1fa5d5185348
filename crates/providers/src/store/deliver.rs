//! A finished file goes in; the same file under a key that names its bytes comes out, with its captions
//! and its manifest beside it: what both stores do alike.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use pipeline::{Answer, Beside, Media, ObjectKey, ProviderError, UploadTarget, Usage};
use stillcast_enqueue::{Artifact, ExtraFile};

use super::blocking::blocking;
use super::contract::{Finished, Store};
use super::digest::digest;
use super::manifest;
use super::proof::Seen;

/// Makes a [`Store`] the pipeline's `ArtifactStore`. A macro, since a foreign trait cannot be
/// implemented for all types of a trait of ours.
macro_rules! delivers {
    ($store:ty) => {
        #[async_trait::async_trait]
        impl pipeline::ArtifactStore for $store {
            fn provider(&self) -> &'static str {
                PROVIDER
            }

            async fn put(
                &self,
                target: &pipeline::UploadTarget,
                media: &pipeline::Media,
            ) -> Result<pipeline::Answer<stillcast_enqueue::Artifact>, pipeline::ProviderError>
            {
                $crate::store::deliver::deliver(self, target, media).await
            }

            async fn adopt(
                &self,
                target: &pipeline::UploadTarget,
                delivered: &stillcast_enqueue::Artifact,
            ) -> Result<
                Option<pipeline::Answer<stillcast_enqueue::Artifact>>,
                pipeline::ProviderError,
            > {
                $crate::store::deliver::adopt(self, target, delivered).await
            }
        }
    };
}
pub(super) use delivers;

/// Delivers a file, what lies beside it, and its manifest.
pub(super) async fn deliver<S: Store>(
    store: &S,
    target: &UploadTarget,
    media: &Media,
) -> Result<Answer<Artifact>, ProviderError> {
    let kind = (media.container.extension(), media.container.content_type());
    let placing = place(store, target, &media.path, kind);
    let (placed, extras) = tokio::try_join!(placing, place_extras(store, target, &media.extras))?;
    let ExtraFile { url, key, path, bytes, content_type, sha256 } = placed;
    let duration_s = media.duration_s;
    let artifact = Artifact { url, key, path, bytes, content_type, duration_s, sha256, extras };
    describe(store, target, &artifact).await?;
    let usage = Usage::default().and("bytes", artifact.bytes as f64);
    Ok(Answer { value: artifact, usage })
}

/// The same of what lies beside it.
async fn place_extras<S: Store>(
    store: &S,
    target: &UploadTarget,
    extras: &[Beside],
) -> Result<BTreeMap<String, ExtraFile>, ProviderError> {
    let placing = extras.iter().map(async |Beside { extra, path }| {
        let kind = (extra.extension(), extra.content_type());
        let placed = place(store, target, path, kind).await?;
        Ok((extra.name().to_owned(), placed))
    });
    futures::future::try_join_all(placing).await.map(BTreeMap::from_iter)
}

/// Puts one file under a key that names its bytes.
async fn place<S: Store>(
    store: &S,
    target: &UploadTarget,
    path: &Path,
    (extension, content_type): (&str, &'static str),
) -> Result<ExtraFile, ProviderError> {
    let file = measure(store, path, content_type).await?;
    let key = key(store, target, &file.sha256, extension)?;
    store.put_file(&key, &file).await?;
    Ok(ExtraFile {
        url: store.url(&key).await?,
        path: path_of(store, &key),
        bytes: file.bytes,
        content_type: content_type.to_owned(),
        sha256: file.sha256,
        key: key.to_string(),
    })
}

/// Delivers what lies in the store already; `None` when some of it is gone or not what it was.
pub(super) async fn adopt<S: Store>(
    store: &S,
    target: &UploadTarget,
    delivered: &Artifact,
) -> Result<Option<Answer<Artifact>>, ProviderError> {
    let Artifact { url, key, path, bytes, content_type, duration_s, sha256, extras } =
        delivered.clone();
    let file = ExtraFile { url, key, path, bytes, content_type, sha256 };
    let Some(placed) = copy(store, target, &file).await? else { return Ok(None) };
    let mut copies = BTreeMap::new();
    for (name, extra) in extras {
        let Some(placed) = copy(store, target, &extra).await? else { return Ok(None) };
        copies.insert(name, placed);
    }
    let ExtraFile { url, key, path, bytes, content_type, sha256 } = placed;
    let extras = copies;
    let artifact = Artifact { url, key, path, bytes, content_type, duration_s, sha256, extras };
    describe(store, target, &artifact).await?;
    Ok(Some(Answer::free(artifact)))
}

/// Lays one delivered file under this job's own key, too.
async fn copy<S: Store>(
    store: &S,
    target: &UploadTarget,
    delivered: &ExtraFile,
) -> Result<Option<ExtraFile>, ProviderError> {
    let from = ObjectKey::parse(&delivered.key).map_err(|error| invalid(store, &error))?;
    if store.size(&from).await? != Some(delivered.bytes) {
        return Ok(None);
    }
    let extension = delivered.key.rsplit_once('.').map_or("bin", |(_, extension)| extension);
    let key = key(store, target, &delivered.sha256, extension)?;
    if key != from && !store.copy(&from, &key).await? {
        return Ok(None);
    }
    let seen = Seen::length(store.size(&key).await?, delivered.bytes);
    seen.proves(store.provider(), delivered.bytes)?;
    let (url, path) = (store.url(&key).await?, path_of(store, &key));
    Ok(Some(ExtraFile { url, path, key: key.to_string(), ..delivered.clone() }))
}

fn path_of<S: Store>(store: &S, key: &ObjectKey) -> Option<String> {
    store.path_of(key).map(|path| path.display().to_string())
}

/// Puts the manifest. The first writer's stays: both tell of the same bytes.
async fn describe<S: Store>(
    store: &S,
    target: &UploadTarget,
    artifact: &Artifact,
) -> Result<(), ProviderError> {
    let path = Path::new(&artifact.key).with_extension("json");
    let beside = ObjectKey::parse(&path.to_string_lossy()).map_err(|e| invalid(store, &e))?;
    let manifest = Bytes::from(manifest::write(target, artifact));
    store.put_if_absent(&beside, manifest).await.map(drop)
}

async fn measure<S: Store>(
    store: &S,
    path: &Path,
    content_type: &'static str,
) -> Result<Finished, ProviderError> {
    let path = path.to_owned();
    let measured = {
        let path = path.clone();
        blocking(move || digest(&path)).await
    };
    let (bytes, sha256) = measured.map_err(|error| {
        ProviderError::transient(store.provider(), "file-unreadable", error.to_string())
    })?;
    Ok(Finished { path, bytes, sha256, content_type })
}

fn key<S: Store>(
    store: &S,
    target: &UploadTarget,
    sha256: &str,
    extension: &str,
) -> Result<ObjectKey, ProviderError> {
    let folder = ObjectKey::media(&target.tenant, &target.job);
    let key = folder.and_then(|folder| folder.join(&format!("{sha256}.{extension}")));
    key.map_err(|error| invalid(store, &error))
}

fn invalid<S: Store>(store: &S, error: &pipeline::InvalidKey) -> ProviderError {
    ProviderError::permanent(store.provider(), "delivery-invalid", error.to_string())
}
