//! A key and content go in; one object lies in the bucket, whole or not at all, and was seen there.

use aws_sdk_s3::primitives::ByteStream;
use pipeline::{ObjectKey, ProviderError};

use super::PROVIDER;
use super::bucket::Bucket;
use super::content::{self, Content};
use super::failure::{self, Refused};
use crate::store::proof::Seen;

/// From this length on a file goes in parts.
const LARGE: u64 = 16 << 20;

impl Bucket {
    /// Puts `content` unless its key exists, and looks whether it is there; true when this put made
    /// it.
    pub(super) async fn put(
        &self,
        key: &ObjectKey,
        content: &Content,
    ) -> Result<bool, ProviderError> {
        if self.offer(key, content).await? { self.prove(key, content).await } else { Ok(false) }
    }

    /// Puts `content` unless its key exists, on the store's word; true when it says that this put made it.
    pub(super) async fn offer(
        &self,
        key: &ObjectKey,
        content: &Content,
    ) -> Result<bool, ProviderError> {
        match self.send(key, content).await {
            Ok(()) => Ok(true),
            Err(Refused::Exists) => Ok(false),
            // A store that refuses early reads no further, and cuts the connection: what it answered
            // may be lost, as any answer may be. What it holds says whether anything is left to do.
            Err(Refused::Failed(error)) => match self.seen(key, content).await {
                Ok(Seen::Same) => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// Sends `content` under the condition that its key is free, in the store's dialect.
    async fn send(&self, key: &ObjectKey, content: &Content) -> Result<(), Refused> {
        let is_conditional = self.dialect.unless_there().is_some();
        if !is_conditional && self.head(key).await?.is_some() {
            return Err(Refused::Exists);
        }
        let sent = if content.bytes < LARGE {
            self.put_whole(key, content).await
        } else {
            self.put_parts(key, content).await
        };
        match sent {
            Err(Refused::Failed(error)) if is_conditional && error.code == failure::UNSUPPORTED => {
                self.dialect.do_without_conditions();
                Box::pin(self.send(key, content)).await
            }
            sent => sent,
        }
    }

    /// Looks for what was just put; false where somebody else was as fast, on a store that looks and
    /// writes in two steps: what they saw there is theirs to trust. What is neither theirs nor ours is
    /// taken away: the key names other bytes, and the next try would find it taken.
    async fn prove(&self, key: &ObjectKey, content: &Content) -> Result<bool, ProviderError> {
        let seen = self.seen(key, content).await?;
        if seen == Seen::Another {
            return Ok(false);
        }
        let proven = seen.proves(PROVIDER, content.bytes);
        if proven.is_err()
            && seen != Seen::Nothing
            && let Err(error) = self.delete(&[self.key(key)]).await
        {
            tracing::warn!("an object that is not what was sent could not be deleted: {error}");
        }
        proven.map(|()| true)
    }

    async fn put_whole(&self, key: &ObjectKey, content: &Content) -> Result<(), Refused> {
        let body = content.whole().await?;
        let put = self
            .client
            .put_object()
            .bucket(&*self.name)
            .key(self.key(key))
            .set_if_none_match(self.dialect.unless_there())
            .content_type(content.media_type)
            .set_cache_control(content.cache_control.map(str::to_owned))
            .set_content_disposition(content.disposition())
            .metadata(content::DIGEST, hex::encode(content.sha256))
            .checksum_sha256(content::base64(&content.sha256))
            .body(ByteStream::from(body));
        put.send().await.map(drop).map_err(failure::of_put)
    }
}
