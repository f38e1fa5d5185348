//! A bucket as a store (`STORAGE_URL=s3://bucket/prefix`), over the wire of S3.
//!
//! One PUT below 16 MiB, above it parts; whatever does not come to its end is aborted, also when
//! nobody waits for it any more. The client repeats nothing by itself: the pipeline's runner does.

mod background;
mod content;
mod failure;
mod options;
mod parts;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumMode, Delete, ObjectIdentifier};
use bytes::Bytes;
use pipeline::{Listed, ObjectKey, ObjectStore, ProviderError};

use super::{Finished, Store, StoreError, deliver};
use background::Background;
use content::{Body, Content};
pub use options::{BucketOptions, Credentials};

const PROVIDER: &str = "s3";
/// From this length on a file goes in parts.
const LARGE: u64 = 16 << 20;
/// How long a presigned address works: the longest that the signature allows.
const PRESIGNED: Duration = Duration::from_hours(7 * 24);
/// An upload in parts that is this old belongs to nobody any more.
const ORPHAN: Duration = Duration::from_hours(24);
/// Most keys that one request deletes.
const BATCH: usize = 1_000;

/// A bucket, or a folder in it, as the store of artifacts.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    bucket: Arc<str>,
    /// Empty, or ends with a slash.
    prefix: Arc<str>,
    public_base_url: Option<Arc<str>>,
    background: Arc<Background>,
}

impl S3Store {
    /// Makes a client for the bucket that `options` name. Connects to nobody yet.
    pub async fn open(options: &BucketOptions) -> Result<Self, StoreError> {
        let (bucket, prefix) = options::place(&options.url).ok_or(StoreError::Address)?;
        Ok(Self {
            client: Box::pin(options::client(options)).await,
            bucket: bucket.into(),
            prefix: prefix.into(),
            public_base_url: options.public_base_url.as_deref().map(Arc::from),
            background: Arc::default(),
        })
    }

    /// The key in the bucket.
    fn name(&self, key: &ObjectKey) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Puts `content` unless its key exists; true when this put made it.
    async fn put_content(&self, key: &ObjectKey, content: &Content) -> Result<bool, ProviderError> {
        let put = if content.bytes < LARGE {
            self.put_whole(key, content).await
        } else {
            self.put_parts(key, content).await
        };
        match put {
            Err(failure::Refused::Exists) => Ok(false),
            // A store that refuses early reads no further, and cuts the connection: what it answered
            // may be lost, as any answer may be. What it holds says whether anything is left to do.
            Err(failure::Refused::Failed(error)) => match self.holds(key, content).await {
                Ok(true) => Ok(false),
                _ => Err(error),
            },
            Ok(()) => Ok(true),
        }
    }

    async fn put_whole(&self, key: &ObjectKey, content: &Content) -> Result<(), failure::Refused> {
        let body = content.whole().await?;
        let put = self
            .client
            .put_object()
            .bucket(&*self.bucket)
            .key(self.name(key))
            .if_none_match("*")
            .content_type(content.media_type)
            .set_cache_control(content.cache_control.map(str::to_owned))
            .set_content_disposition(content.disposition())
            .metadata(content::DIGEST, hex::encode(content.sha256))
            .checksum_sha256(content::base64(&content.sha256))
            .body(ByteStream::from(body));
        put.send().await.map(drop).map_err(failure::of_put)
    }

    /// Whether the object under `key` is what `content` is.
    async fn holds(&self, key: &ObjectKey, content: &Content) -> Result<bool, ProviderError> {
        let asked = self
            .client
            .head_object()
            .bucket(&*self.bucket)
            .key(self.name(key))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await;
        let found = asked.map_err(failure::of)?;
        let length = found.content_length().and_then(|length| u64::try_from(length).ok());
        // Of an object in parts, stores tell a checksum of checksums: then our own note speaks.
        let noted = found.metadata().and_then(|metadata| metadata.get(content::DIGEST));
        let is_noted = noted.is_some_and(|digest| *digest == hex::encode(content.sha256));
        let is_told = found.checksum_sha256() == Some(&content::base64(&content.sha256));
        Ok(length == Some(content.bytes) && (is_told || is_noted))
    }

    async fn delete(&self, names: &[String]) -> Result<(), ProviderError> {
        for batch in names.chunks(BATCH) {
            let keys = batch.iter().map(|name| {
                ObjectIdentifier::builder()
                    .key(name)
                    .build()
                    .map_err(|error| failure::invalid(&error))
            });
            let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
            let delete = Delete::builder().set_objects(Some(keys)).quiet(true).build();
            let delete = delete.map_err(|error| failure::invalid(&error))?;
            let request = self.client.delete_objects().bucket(&*self.bucket).delete(delete);
            let deleted = request.send().await.map_err(failure::of)?;
            if let Some(error) = deleted.errors().first() {
                return Err(failure::of_code(error.code(), error.message(), None));
            }
        }
        Ok(())
    }

    fn file(&self, file: &Finished) -> Result<Content, ProviderError> {
        let cache_control = match &self.public_base_url {
            Some(_) => "public, max-age=31536000, immutable",
            None => "private, immutable",
        };
        let unreadable = |_| failure::unreadable("its digest is none");
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&file.sha256, &mut sha256).map_err(unreadable)?;
        Ok(Content {
            body: Body::File(file.path.clone()),
            bytes: file.bytes,
            sha256,
            media_type: file.content_type,
            cache_control: Some(cache_control),
        })
    }

    /// The name of the object under `key`, if there is one: of all names that begin so, the first.
    /// Not asked by HEAD, since stores on a file system take a folder for an object.
    async fn exactly(&self, key: &ObjectKey) -> Result<Option<String>, ProviderError> {
        let name = self.name(key);
        let first = self.client.list_objects_v2().bucket(&*self.bucket).prefix(&name).max_keys(1);
        let page = first.send().await.map_err(failure::of)?;
        let found = page.contents().first().and_then(|object| object.key());
        Ok(found.filter(|found| *found == name).map(str::to_owned))
    }

    /// What lies below the folder, with the age that this host's clock gives it.
    #[expect(clippy::disallowed_methods, reason = "objects carry the store's wall clock only")]
    async fn listed(&self, prefix: &ObjectKey) -> Result<Vec<Listed>, ProviderError> {
        let now = DateTime::from(std::time::SystemTime::now()).secs();
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&*self.bucket)
            .prefix(format!("{}/", self.name(prefix)))
            .into_paginator()
            .send();
        let mut all = Vec::new();
        while let Some(page) = pages.try_next().await.map_err(failure::of)? {
            for object in page.contents() {
                let name = object.key().unwrap_or_default();
                let key = name.strip_prefix(&*self.prefix).map(ObjectKey::parse);
                // What we would never have put is not ours to count or delete.
                let Some(Ok(key)) = key else { continue };
                let since = object.last_modified().map_or(0, |put| now - put.secs());
                let age = Duration::from_secs(u64::try_from(since).unwrap_or(0));
                let bytes = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                all.push(Listed { key, bytes, age });
            }
        }
        Ok(all)
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn get(&self, key: &ObjectKey) -> Result<Option<Bytes>, ProviderError> {
        let request = self.client.get_object().bucket(&*self.bucket).key(self.name(key));
        let Some(found) = failure::unless_gone(request.send().await)? else { return Ok(None) };
        let collected = found.body.collect().await;
        let broken = |_| ProviderError::transient(PROVIDER, "store-failed", "the download broke");
        collected.map(|body| Some(body.into_bytes())).map_err(broken)
    }

    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<bool, ProviderError> {
        let content = Content::of(bytes, key).await?;
        self.put_content(key, &content).await
    }

    async fn copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<bool, ProviderError> {
        let source = deliver::escape(&format!("{}/{}", self.bucket, self.name(from)));
        let request = self.client.copy_object().bucket(&*self.bucket).key(self.name(to));
        let copied = failure::unless_gone(request.copy_source(source).send().await)?;
        Ok(copied.is_some())
    }

    async fn size(&self, key: &ObjectKey) -> Result<Option<u64>, ProviderError> {
        let request = self.client.head_object().bucket(&*self.bucket).key(self.name(key));
        let found = failure::unless_gone(request.send().await)?;
        Ok(found.and_then(|found| u64::try_from(found.content_length()?).ok()))
    }

    async fn delete_prefix(&self, prefix: &ObjectKey) -> Result<usize, ProviderError> {
        let below = self.listed(prefix).await?;
        let mut names: Vec<String> = below.iter().map(|object| self.name(&object.key)).collect();
        names.extend(self.exactly(prefix).await?);
        self.delete(&names).await?;
        Ok(names.len())
    }

    async fn list(&self, prefix: &ObjectKey) -> Result<Vec<Listed>, ProviderError> {
        self.listed(prefix).await
    }
}

#[async_trait]
impl Store for S3Store {
    async fn put_file(&self, key: &ObjectKey, file: &Finished) -> Result<(), ProviderError> {
        let content = self.file(file)?;
        if self.put_content(key, &content).await? || self.holds(key, &content).await? {
            return Ok(());
        }
        let conflict = StoreError::Conflict(format!("s3://{}/{}", self.bucket, self.name(key)));
        Err(ProviderError::permanent(PROVIDER, "artifact-conflict", conflict.to_string()))
    }

    async fn url(&self, key: &ObjectKey) -> Result<String, ProviderError> {
        if let Some(base) = &self.public_base_url {
            return Ok(deliver::below(base, key));
        }
        let lasting =
            PresigningConfig::expires_in(PRESIGNED).map_err(|error| failure::invalid(&error))?;
        let request = self.client.get_object().bucket(&*self.bucket).key(self.name(key));
        let signed = request.presigned(lasting).await.map_err(failure::of)?;
        Ok(signed.uri().to_owned())
    }

    fn path_of(&self, _: &ObjectKey) -> Option<PathBuf> {
        None
    }

    async fn sweep(&self) -> Result<usize, ProviderError> {
        self.abort_orphans(ORPHAN).await
    }

    async fn settle(&self, limit: Duration) {
        self.background.settle(limit).await;
    }

    async fn probe(&self) -> Result<String, ProviderError> {
        let name = format!("probe-{:016x}", fastrand::u64(..));
        let key =
            ObjectKey::parse(&name).map_err(|error| failure::unreadable(&error.to_string()))?;
        self.put_if_absent(&key, Bytes::from_static(b"a probe")).await?;
        self.delete(&[self.name(&key)]).await?;
        Ok(format!("s3://{}/{}", self.bucket, self.prefix))
    }
}

deliver::delivers!(S3Store);
