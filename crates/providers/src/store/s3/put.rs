//! A key and content go in; one object lies in the bucket, whole or not at all.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use pipeline::{ObjectKey, ProviderError};

use super::bucket::Bucket;
use super::content::{self, Content};
use super::failure::{self, Refused};

/// From this length on a file goes in parts.
const LARGE: u64 = 16 << 20;

impl Bucket {
    /// Puts `content` unless its key exists; true when this put made it.
    pub(super) async fn put(
        &self,
        key: &ObjectKey,
        content: &Content,
    ) -> Result<bool, ProviderError> {
        let put = if content.bytes < LARGE {
            self.put_whole(key, content).await
        } else {
            self.put_parts(key, content).await
        };
        match put {
            Err(Refused::Exists) => Ok(false),
            // A store that refuses early reads no further, and cuts the connection: what it answered
            // may be lost, as any answer may be. What it holds says whether anything is left to do.
            Err(Refused::Failed(error)) => match self.holds(key, content).await {
                Ok(true) => Ok(false),
                _ => Err(error),
            },
            Ok(()) => Ok(true),
        }
    }

    async fn put_whole(&self, key: &ObjectKey, content: &Content) -> Result<(), Refused> {
        let body = content.whole().await?;
        let put = self
            .client
            .put_object()
            .bucket(&*self.name)
            .key(self.key(key))
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
    pub(super) async fn holds(
        &self,
        key: &ObjectKey,
        content: &Content,
    ) -> Result<bool, ProviderError> {
        let asked = self
            .client
            .head_object()
            .bucket(&*self.name)
            .key(self.key(key))
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
}
