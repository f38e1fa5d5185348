//! A large body goes in, one object comes out: sent in parts, several at once. An upload that does
//! not come to its end is aborted, however it ended: by a failure, a time-out or a cancel.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, MultipartUpload,
};
use futures::{StreamExt, TryStreamExt, stream};
use pipeline::{ObjectKey, ProviderError};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::content::{self, Content};
use super::failure::{self, Refused};
use super::{PROVIDER, S3Store};

/// Length of each part but the last.
const PART: u64 = 8 << 20;
/// Parts of one upload on the way at once.
const AT_ONCE: usize = 4;
/// Waits before each try to abort; behind the last one, the sweep does it.
const ABORT_AFTER: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5)];

/// An upload that has begun in the bucket; dropped before its end, it is aborted there.
struct Pending {
    store: S3Store,
    name: String,
    upload: String,
    is_complete: bool,
}

impl S3Store {
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

    /// Begins as a chore: a caller that is dropped meanwhile leaves nothing behind, since then the
    /// answer is dropped too.
    async fn begin(&self, key: &ObjectKey, content: &Content) -> Result<Pending, ProviderError> {
        let (answer, answered) = oneshot::channel();
        let (store, name, content) = (self.clone(), self.name(key), content.clone());
        self.background.add(async move {
            // Nobody listens any more: the upload is dropped with the answer.
            let _ = answer.send(store.create(name, &content).await);
        });
        let gone = |_| ProviderError::transient(PROVIDER, "store-failed", "the process is ending");
        answered.await.map_err(gone)?
    }

    async fn create(&self, name: String, content: &Content) -> Result<Pending, ProviderError> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&*self.bucket)
            .key(&name)
            .content_type(content.media_type)
            .set_cache_control(content.cache_control.map(str::to_owned))
            .set_content_disposition(content.disposition())
            .metadata(content::DIGEST, hex::encode(content.sha256))
            .checksum_algorithm(ChecksumAlgorithm::Sha256);
        let created = request.send().await.map_err(failure::of)?;
        let upload = created.upload_id().ok_or_else(failure::nonsense)?.to_owned();
        Ok(Pending { store: self.clone(), name, upload, is_complete: false })
    }

    async fn abort(&self, name: &str, upload: &str) -> Result<(), ProviderError> {
        let request = self.client.abort_multipart_upload().bucket(&*self.bucket);
        let aborted = request.key(name).upload_id(upload).send().await;
        match aborted {
            Err(error) if error.code() == Some("NoSuchUpload") => Ok(()),
            aborted => aborted.map(drop).map_err(failure::of),
        }
    }

    /// Aborts the uploads below our prefix that began at least `age` ago; says how many.
    #[expect(clippy::disallowed_methods, reason = "uploads carry the store's wall clock only")]
    pub(super) async fn abort_orphans(&self, age: Duration) -> Result<usize, ProviderError> {
        let limit = DateTime::from(std::time::SystemTime::now() - age);
        let mut aborted = 0;
        let (mut key, mut upload) = (None, None);
        loop {
            let request = self.client.list_multipart_uploads().bucket(&*self.bucket);
            let request = request.prefix(&*self.prefix).set_key_marker(key);
            let listed = request.set_upload_id_marker(upload).send().await;
            let page = match listed.map_err(failure::of) {
                Ok(page) => page,
                Err(error) if error.code == failure::UNSUPPORTED => {
                    tracing::warn!(
                        "the store lists no unfinished uploads; give it a rule that ends them"
                    );
                    return Ok(aborted);
                }
                Err(error) => return Err(error),
            };
            for found in page.uploads() {
                let names = found.key().zip(found.upload_id());
                if let Some((name, id)) = names.filter(|_| is_orphan(found, &limit)) {
                    self.abort(name, id).await?;
                    aborted += 1;
                }
            }
            if page.is_truncated() != Some(true) {
                return Ok(aborted);
            }
            key = page.next_key_marker().map(str::to_owned);
            upload = page.next_upload_id_marker().map(str::to_owned);
        }
    }
}

/// An upload that does not say when it began may have begun just now.
pub(super) fn is_orphan(upload: &MultipartUpload, limit: &DateTime) -> bool {
    upload.initiated().is_some_and(|begun| begun <= limit)
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
        let S3Store { client, bucket, .. } = &self.store;
        let request = client
            .upload_part()
            .bucket(&**bucket)
            .key(&self.name)
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
        let S3Store { client, bucket, .. } = &self.store;
        let request = client
            .complete_multipart_upload()
            .bucket(&**bucket)
            .key(&self.name)
            .upload_id(&self.upload)
            .if_none_match("*")
            .multipart_upload(parts);
        request.send().await.map(drop).map_err(failure::of_put)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        let (name, upload) = (std::mem::take(&mut self.name), std::mem::take(&mut self.upload));
        let store = self.store.clone();
        self.store.background.add(async move {
            for wait in ABORT_AFTER {
                sleep(wait).await;
                match store.abort(&name, &upload).await {
                    Ok(()) => return,
                    Err(error) => tracing::warn!("an upload could not be aborted: {error}"),
                }
            }
        });
    }
}
