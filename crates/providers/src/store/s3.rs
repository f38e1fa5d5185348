//! A bucket as a store (`STORAGE_URL=s3://bucket/prefix`), over the wire of S3.
//!
//! One PUT below 16 MiB, above it parts, and a look behind each at what lies there, but for checkpoints,
//! which are compared when they are read; whatever does not come to its end is aborted, also when nobody
//! waits for it any more. The client repeats nothing by itself: the pipeline's runner does.

mod background;
mod bucket;
mod client;
mod content;
mod dialect;
mod failure;
mod listing;
mod orphans;
mod parts;
mod put;
mod seen;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;
use pipeline::{Listed, NamedBytes, ObjectKey, ObjectStore, ProviderError};

use self::bucket::Bucket;
use self::content::Content;
use super::address::{below, escape};
use super::contract::{Finished, Store};
use super::deliver::delivers;
use super::error::StoreError;
use super::options::StoreOptions;
use super::proof::Seen;

/// The name in records.
const PROVIDER: &str = "s3";
/// How long a presigned address works: the longest that the signature allows.
const PRESIGNED: Duration = Duration::from_hours(7 * 24);
/// An upload in parts that is this old belongs to nobody any more.
const ORPHAN: Duration = Duration::from_hours(24);

/// A bucket, or a folder in it, as the store of artifacts.
#[derive(Clone, Debug)]
pub(super) struct S3Store {
    bucket: Bucket,
    public_base_url: Option<Arc<str>>,
}

impl S3Store {
    /// The bucket of the options. Connects to nobody yet.
    pub(super) async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let public_base_url = options.public_base_url.as_deref().map(Arc::from);
        Ok(Self { bucket: Bucket::open(options).await?, public_base_url })
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn get(&self, key: &ObjectKey) -> Result<Option<Bytes>, ProviderError> {
        let Bucket { client, name, .. } = &self.bucket;
        let request = client.get_object().bucket(&**name).key(self.bucket.key(key));
        let Some(found) = failure::unless_gone(request.send().await)? else { return Ok(None) };
        let collected = found.body.collect().await;
        collected.map(|body| Some(body.into_bytes())).map_err(|_| failure::broken())
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<bool, ProviderError> {
        let content = Content::of(bytes, key).await?;
        self.bucket.put(key, &content).await
    }

    async fn keep(&self, key: &ObjectKey, named: &NamedBytes) -> Result<(), ProviderError> {
        self.bucket.offer(key, &Content::named(named, key)).await.map(drop)
    }

    async fn copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<bool, ProviderError> {
        let Bucket { client, name, .. } = &self.bucket;
        let Some(original) = self.bucket.head(from).await? else { return Ok(false) };
        let source = escape(&format!("{name}/{}", self.bucket.key(from)));
        let request = client.copy_object().bucket(&**name).key(self.bucket.key(to));
        let copied = failure::unless_gone(request.copy_source(source).send().await)?;
        if copied.is_none() {
            return Ok(false);
        }
        let bytes = original.content_length().and_then(|length| u64::try_from(length).ok());
        let seen = self.bucket.is_copy(&original, to).await?;
        seen.proves(PROVIDER, bytes.unwrap_or_default()).map(|()| true)
    }

    async fn size(&self, key: &ObjectKey) -> Result<Option<u64>, ProviderError> {
        let found = self.bucket.head(key).await?;
        Ok(found.and_then(|found| u64::try_from(found.content_length()?).ok()))
    }

    async fn delete_prefix(&self, prefix: &ObjectKey) -> Result<usize, ProviderError> {
        self.bucket.delete_prefix(prefix).await
    }

    async fn list(&self, prefix: &ObjectKey) -> Result<Vec<Listed>, ProviderError> {
        self.bucket.list(prefix).await
    }
}

#[async_trait]
impl Store for S3Store {
    async fn put_file(&self, key: &ObjectKey, file: &Finished) -> Result<(), ProviderError> {
        let content = Content::file(file, self.public_base_url.is_some())?;
        let is_new = self.bucket.put(key, &content).await?;
        if is_new || self.bucket.seen(key, &content).await? == Seen::Same {
            return Ok(());
        }
        let conflict = StoreError::Conflict(self.bucket.address(&self.bucket.key(key)));
        Err(ProviderError::permanent(PROVIDER, "artifact-conflict", conflict.to_string()))
    }

    async fn url(&self, key: &ObjectKey) -> Result<String, ProviderError> {
        if let Some(base) = &self.public_base_url {
            return Ok(below(base, key));
        }
        let lasting =
            PresigningConfig::expires_in(PRESIGNED).map_err(|error| failure::invalid(&error))?;
        let Bucket { client, name, .. } = &self.bucket;
        let request = client.get_object().bucket(&**name).key(self.bucket.key(key));
        let signed = request.presigned(lasting).await.map_err(failure::of)?;
        Ok(signed.uri().to_owned())
    }

    fn path_of(&self, _: &ObjectKey) -> Option<PathBuf> {
        None
    }

    async fn sweep(&self) -> Result<usize, ProviderError> {
        self.bucket.abort_orphans(ORPHAN).await
    }

    async fn settle(&self, limit: Duration) {
        self.bucket.background.settle(limit).await;
    }

    fn lacks(&self) -> Option<&'static str> {
        self.bucket.dialect.lacks()
    }

    async fn probe(&self) -> Result<String, ProviderError> {
        let key = ObjectKey::parse(&format!("probe-{:016x}", fastrand::u64(..)));
        let key = key.map_err(|error| failure::unreadable(&error.to_string()))?;
        self.put_if_absent(&key, Bytes::from_static(b"a probe")).await?;
        self.bucket.delete(&[self.bucket.key(&key)]).await?;
        let address = self.bucket.address(&self.bucket.prefix);
        Ok(match self.bucket.dialect.lacks() {
            Some(lacks) => format!("{address}; {lacks}"),
            None => address,
        })
    }
}

delivers!(S3Store);
