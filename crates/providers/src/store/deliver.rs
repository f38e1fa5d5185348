//! A finished file goes in; the same file under a key that names its bytes comes out, with its
//! manifest beside it: what both stores do alike.

use std::path::Path;

use bytes::Bytes;
use pipeline::{Answer, Media, ObjectKey, ProviderError, UploadTarget, Usage};
use stillcast_enqueue::{Artifact, Format};

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

/// Delivers a file and its manifest.
pub(super) async fn deliver<S: Store>(
    store: &S,
    target: &UploadTarget,
    media: &Media,
) -> Result<Answer<Artifact>, ProviderError> {
    let file = measure(store, media, target.format).await?;
    let key = key(store, target, &file.sha256)?;
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
    describe(store, target, &key, &artifact).await?;
    let usage = Usage::default().and("bytes", artifact.bytes as f64);
    Ok(Answer { value: artifact, usage })
}

/// Delivers what lies in the store already; `None` when it is gone or not what it was.
pub(super) async fn adopt<S: Store>(
    store: &S,
    target: &UploadTarget,
    delivered: &Artifact,
) -> Result<Option<Answer<Artifact>>, ProviderError> {
    let from = ObjectKey::parse(&delivered.key).map_err(|error| invalid(store, &error))?;
    if store.size(&from).await? != Some(delivered.bytes) {
        return Ok(None);
    }
    let key = key(store, target, &delivered.sha256)?;
    if key != from && !store.copy(&from, &key).await? {
        return Ok(None);
    }
    let seen = Seen::length(store.size(&key).await?, delivered.bytes);
    seen.proves(store.provider(), delivered.bytes)?;
    let artifact = Artifact {
        url: store.url(&key).await?,
        path: store.path_of(&key).map(|path| path.display().to_string()),
        key: key.to_string(),
        ..delivered.clone()
    };
    describe(store, target, &key, &artifact).await?;
    Ok(Some(Answer::free(artifact)))
}

/// Puts the manifest. The first writer's stays: both tell of the same bytes.
async fn describe<S: Store>(
    store: &S,
    target: &UploadTarget,
    key: &ObjectKey,
    artifact: &Artifact,
) -> Result<(), ProviderError> {
    let path = Path::new(key.as_str()).with_extension("json");
    let beside = ObjectKey::parse(&path.to_string_lossy()).map_err(|e| invalid(store, &e))?;
    let manifest = Bytes::from(manifest::write(target, artifact));
    store.put_if_absent(&beside, manifest).await.map(drop)
}

async fn measure<S: Store>(
    store: &S,
    media: &Media,
    format: Format,
) -> Result<Finished, ProviderError> {
    let path = media.path.clone();
    let measured = blocking(move || digest(&path)).await;
    let (bytes, sha256) = measured.map_err(|error| {
        ProviderError::transient(store.provider(), "file-unreadable", error.to_string())
    })?;
    Ok(Finished { path: media.path.clone(), bytes, sha256, content_type: kind(format).1 })
}

fn key<S: Store>(
    store: &S,
    target: &UploadTarget,
    sha256: &str,
) -> Result<ObjectKey, ProviderError> {
    let folder = ObjectKey::media(&target.tenant, &target.job);
    let (extension, _) = kind(target.format);
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
