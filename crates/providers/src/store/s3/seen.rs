//! A key and what shall lie under it go in; what the bucket says that lies there comes out.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::ChecksumMode;
use pipeline::{ObjectKey, ProviderError};
use sha2::{Digest, Sha256};

use super::bucket::Bucket;
use super::content::{self, Content};
use super::failure;
use crate::store::proof::Seen;

impl Bucket {
    /// Looks whether the object under `key` is what `content` is: the digest that we have noted with it
    /// or that the store tells, and its length. A store that tells neither is read from.
    pub(super) async fn seen(
        &self,
        key: &ObjectKey,
        content: &Content,
    ) -> Result<Seen, ProviderError> {
        let Some(found) = self.head(key).await? else { return Ok(Seen::Nothing) };
        if is_of_another(&found, content) {
            return Ok(Seen::Another);
        }
        let length = length(&found);
        if length.is_some_and(|length| length != content.bytes) {
            return Ok(Seen::length(length, content.bytes));
        }
        if length.is_some() && is_told(&found, content) {
            return Ok(Seen::Same);
        }
        self.read_back(key, content).await
    }

    /// Looks whether the object under `to` is the one under `from`, as far as heads tell.
    pub(super) async fn is_copy(
        &self,
        from: &HeadObjectOutput,
        to: &ObjectKey,
    ) -> Result<Seen, ProviderError> {
        let Some(copy) = self.head(to).await? else { return Ok(Seen::Nothing) };
        let seen = Seen::length(length(&copy), length(from).unwrap_or_default());
        let noted = |head: &HeadObjectOutput| head.metadata()?.get(content::DIGEST).cloned();
        Ok(if seen == Seen::Same && noted(&copy) != noted(from) { Seen::Other } else { seen })
    }

    /// What the bucket tells of an object, if it is there.
    pub(super) async fn head(
        &self,
        key: &ObjectKey,
    ) -> Result<Option<HeadObjectOutput>, ProviderError> {
        let head = self.client.head_object().bucket(&*self.name).key(self.key(key));
        failure::of_head(head.checksum_mode(ChecksumMode::Enabled).send().await)
    }

    async fn read_back(&self, key: &ObjectKey, content: &Content) -> Result<Seen, ProviderError> {
        let get = self.client.get_object().bucket(&*self.name).key(self.key(key));
        let Some(found) = failure::unless_gone(get.send().await)? else {
            return Ok(Seen::Nothing);
        };
        let (mut body, mut length, mut digest) = (found.body, 0, Sha256::new());
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| failure::broken())?;
            length += chunk.len() as u64;
            digest.update(&chunk);
        }
        let is_same = <[u8; 32]>::from(digest.finalize()) == content.sha256;
        Ok(match Seen::length(Some(length), content.bytes) {
            Seen::Same if !is_same => Seen::Other,
            seen => seen,
        })
    }
}

fn length(found: &HeadObjectOutput) -> Option<u64> {
    found.content_length().and_then(|length| u64::try_from(length).ok())
}

/// Whether somebody else has put it: what is ours has our digest noted, also when it was spoilt.
fn is_of_another(found: &HeadObjectOutput, content: &Content) -> bool {
    let noted = found.metadata().and_then(|notes| notes.get(content::DIGEST));
    noted.is_some_and(|noted| *noted != hex::encode(content.sha256))
}

/// Whether the store tells our digest, or has kept the note of it. Of an object in parts stores tell
/// a checksum of checksums, which says nothing: then the note speaks.
fn is_told(found: &HeadObjectOutput, content: &Content) -> bool {
    found.checksum_sha256() == Some(&content::base64(&content.sha256))
        || found.metadata().is_some_and(|notes| notes.contains_key(content::DIGEST))
}
