//! A large body goes in, one object comes out: sent in parts, several at once. An upload that does
//! not come to its end is aborted, however it ended: by a failure, a time-out or a cancel.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use futures::{StreamExt, TryStreamExt, stream};
use pipeline::{ObjectKey, ProviderError};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::PROVIDER;
use super::bucket::Bucket;
use super::content::{self, Content};
use super::failure::{self, Refused};

/// Length of each part but the last.
const PART: u64 = 8 << 20;
/// Parts of one upload on the way at once.
const AT_ONCE: usize = 4;
/// Waits before each try to abort; behind the last one, the sweep does it.
const ABORT_AFTER: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5)];

/// An upload that has begun in the bucket; dropped before its end, it is aborted there.
struct Pending {
    bucket: Bucket,
    key: String,
    upload: String,
    is_complete: bool,
}

impl Bucket {
    /// Puts `content` in parts unless its key exists.
    pub(super) async fn put_parts(
        &self,
        key: &ObjectKey,
        content: &Content,
    ) -> Result<(), Refused> {
        let mut pending = self.begin(key, content).await?;
        let offsets = (0..content.bytes).step_by(usize::try_from(PART).unwrap_or(usize::MAX));
        let parts = stream::iter((1..).zip(offsets))
            .map(|(number, offset)| pending.send(content, number, offset))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        pending.complete(parts).await?;
        pending.is_complete = true;
        Ok(())
    }

    /// Begins in a task of the store: a caller that is dropped meanwhile leaves nothing behind, since
    /// then the answer is dropped too, and with it the upload.
    async fn begin(&self, key: &ObjectKey, content: &Content) -> Result<Pending, ProviderError> {
        let (answer, answered) = oneshot::channel();
        let (bucket, key, content) = (self.clone(), self.key(key), content.clone());
        self.background.add(async move {
            // A caller that has gone takes no answer, and the upload is aborted.
            let _ = answer.send(bucket.create(key, &content).await);
        });
        let gone = |_| ProviderError::transient(PROVIDER, "store-failed", "the process is ending");
        answered.await.map_err(gone)?
    }

    async fn create(&self, key: String, content: &Content) -> Result<Pending, ProviderError> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&*self.name)
            .key(&key)
            .content_type(content.media_type)
            .set_cache_control(content.cache_control.map(str::to_owned))
            .set_content_disposition(content.disposition())
            .metadata(content::DIGEST, hex::encode(content.sha256))
            .checksum_algorithm(ChecksumAlgorithm::Sha256);
        let created = request.send().await.map_err(failure::of)?;
        let upload = created.upload_id().ok_or_else(failure::nonsense)?.to_owned();
        Ok(Pending { bucket: self.clone(), key, upload, is_complete: false })
    }

    /// Ends an upload that shall not become an object; one that is gone is ended.
    pub(super) async fn abort(&self, key: &str, upload: &str) -> Result<(), ProviderError> {
        let request = self.client.abort_multipart_upload().bucket(&*self.name);
        let aborted = request.key(key).upload_id(upload).send().await;
        match aborted {
            Err(error) if error.code() == Some("NoSuchUpload") => Ok(()),
            aborted => aborted.map(drop).map_err(failure::of),
        }
    }
}

impl Pending {
    async fn send(
        &self,
        content: &Content,
        number: i32,
        offset: u64,
    ) -> Result<CompletedPart, Refused> {
        let part = content.part(offset, PART.min(content.bytes - offset)).await?;
        let checksum = content::base64(&content::digest(&part));
        let Bucket { client, name, .. } = &self.bucket;
        let request = client
            .upload_part()
            .bucket(&**name)
            .key(&self.key)
            .upload_id(&self.upload)
            .part_number(number)
            .checksum_sha256(&checksum)
            .body(ByteStream::from(part));
        let sent = request.send().await.map_err(failure::of)?;
        let sent = CompletedPart::builder().set_e_tag(sent.e_tag().map(str::to_owned));
        Ok(sent.part_number(number).checksum_sha256(checksum).build())
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<(), Refused> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let Bucket { client, name, .. } = &self.bucket;
        let request = client
            .complete_multipart_upload()
            .bucket(&**name)
            .key(&self.key)
            .upload_id(&self.upload)
            .set_if_none_match(self.bucket.dialect.unless_there())
            .multipart_upload(parts);
        request.send().await.map(drop).map_err(failure::of_put)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let (key, upload) = (std::mem::take(&mut self.key), std::mem::take(&mut self.upload));
        let bucket = self.bucket.clone();
        self.bucket.background.add(async move {
            for wait in ABORT_AFTER {
                sleep(wait).await;
                match bucket.abort(&key, &upload).await {
                    Ok(()) => return,
                    Err(error) => tracing::warn!("an upload could not be aborted: {error}"),
                }
            }
        });
    }
}
