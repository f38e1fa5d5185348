//! Settings go in; the bucket that they name comes out, with the names of objects in it.

use std::sync::Arc;

use aws_sdk_s3::Client;
use pipeline::ObjectKey;

use super::background::Background;
use super::client::client;
use super::dialect::Dialect;
use crate::store::error::StoreError;
use crate::store::options::StoreOptions;

/// A bucket, or a folder in it.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: Arc<str>,
    /// Empty, or ends with a slash.
    pub(super) prefix: Arc<str>,
    /// What was begun in the bucket and is not ended yet.
    pub(super) background: Arc<Background>,
    /// How this store is spoken to.
    pub(super) dialect: Arc<Dialect>,
}

impl Bucket {
    /// Makes a client for the bucket that the options name. Connects to nobody yet.
    pub(super) async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let (name, prefix) = place(&options.url).ok_or(StoreError::Address)?;
        Ok(Self {
            client: Box::pin(client(options)).await,
            name: name.into(),
            prefix: prefix.into(),
            background: Arc::default(),
            dialect: Arc::default(),
        })
    }

    /// The object's key in the bucket.
    pub(super) fn key(&self, key: &ObjectKey) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The address of an object or a folder in the bucket, for people.
    pub(super) fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }
}

/// Bucket and prefix of an address; the prefix is empty or ends with a slash.
fn place(url: &str) -> Option<(String, String)> {
    let place = url.strip_prefix("s3://")?;
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let prefix = prefix.trim_end_matches('/');
    let segments_are_plain =
        |text: &str| text.split('/').all(|part| !part.is_empty() && part.bytes().all(is_plain));
    let is_bucket = !bucket.is_empty() && bucket.bytes().all(is_plain);
    if !is_bucket || !(prefix.is_empty() || segments_are_plain(prefix)) {
        return None;
    }
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Some((bucket.to_owned(), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_perhaps_a_folder() {
        let place = |url| place(url).map(|(bucket, prefix)| format!("{bucket} {prefix}"));
        assert_eq!(place("s3://media"), Some("media ".to_owned()));
        assert_eq!(place("s3://media/"), Some("media ".to_owned()));
        assert_eq!(place("s3://media/a/b/"), Some("media a/b/".to_owned()));
        for url in
            ["s3://", "s3:///a", "file:///a", "s3://a//b", "s3://a/b c", "s3://a/b?c", "media"]
        {
            assert_eq!(place(url), None, "{url}");
        }
    }
}
