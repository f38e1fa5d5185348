//! An age goes in; uploads in parts that began before that, and never came to their end, are aborted.

use std::time::Duration;

use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::MultipartUpload;
use pipeline::ProviderError;

use super::bucket::Bucket;
use super::failure;

impl Bucket {
    /// Aborts the uploads below our prefix that began at least `age` ago; says how many.
    #[expect(clippy::disallowed_methods, reason = "uploads carry the store's wall clock only")]
    pub(super) async fn abort_orphans(&self, age: Duration) -> Result<usize, ProviderError> {
        let limit = DateTime::from(std::time::SystemTime::now() - age);
        let (mut aborted, mut behind) = (0, None);
        while let Some(page) = self.uploads(behind.as_ref()).await? {
            for found in page.uploads().iter().filter(|found| is_orphan(found, &limit)) {
                let Some((key, id)) = found.key().zip(found.upload_id()) else { continue };
                self.abort(key, id).await?;
                aborted += 1;
            }
            if page.is_truncated() != Some(true) {
                break;
            }
            behind = Some(page);
        }
        Ok(aborted)
    }

    /// The page of unfinished uploads behind another; `None` where the store lists none.
    async fn uploads(
        &self,
        behind: Option<&ListMultipartUploadsOutput>,
    ) -> Result<Option<ListMultipartUploadsOutput>, ProviderError> {
        let (key, upload) = behind
            .map_or((None, None), |page| (page.next_key_marker(), page.next_upload_id_marker()));
        let request = self.client.list_multipart_uploads().bucket(&*self.name);
        let request = request.prefix(&*self.prefix).set_key_marker(key.map(str::to_owned));
        let request = request.set_upload_id_marker(upload.map(str::to_owned));
        match request.send().await.map_err(failure::of) {
            Ok(page) => Ok(Some(page)),
            Err(error) if error.code == failure::UNSUPPORTED => {
                tracing::warn!(
                    "the store lists no unfinished uploads; give it a rule that ends them"
                );
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// An upload that does not say when it began may have begun just now.
fn is_orphan(upload: &MultipartUpload, limit: &DateTime) -> bool {
    upload.initiated().is_some_and(|begun| begun <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_old_upload_is_an_orphan() {
        let begun = |at: Option<i64>| {
            let began = at.map(DateTime::from_secs);
            MultipartUpload::builder().set_initiated(began).build()
        };
        let limit = DateTime::from_secs(1_000);
        assert!(is_orphan(&begun(Some(1_000)), &limit));
        assert!(!is_orphan(&begun(Some(1_001)), &limit));
        assert!(!is_orphan(&begun(None), &limit));
    }
}
