//! Small objects in the store: a key goes in, its bytes come out, the same for a folder of this
//! host and for a bucket. Checkpoints lie under `work/`, shared values under `cache/` and, for all
//! tenants, under `warm/`, deliveries under `media/`.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use stillcast_enqueue::{Identifier, JobId, StageName};

use crate::ProviderError;

/// `<area>/<tenant>/…`: segments of `[A-Za-z0-9][A-Za-z0-9._-]{0,127}` between slashes, so that no
/// key ever leaves its store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key of the store: segments are letters, digits, `.`, `_` and `-`")]
pub struct InvalidKey;

impl ObjectKey {
    /// Checks a key that came from outside.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        Self::of(&text.split('/').collect::<Vec<_>>())
    }

    fn of(segments: &[&str]) -> Result<Self, InvalidKey> {
        let is_segment = |segment: &&str| Identifier::parse("key", segment).is_ok();
        if segments.iter().all(is_segment) { Ok(Self(segments.join("/"))) } else { Err(InvalidKey) }
    }

    /// The folder of all that was delivered for a job.
    pub fn media(tenant: &str, job: &JobId) -> Result<Self, InvalidKey> {
        Self::of(&["media", tenant, job.as_str()])
    }

    /// The folder of a job's checkpoints.
    pub fn work(tenant: &str, job: &JobId) -> Result<Self, InvalidKey> {
        Self::of(&["work", tenant, job.as_str()])
    }

    /// The place of a value that the jobs of a tenant share.
    pub fn cache(tenant: &str, stage: StageName, digest: &str) -> Result<Self, InvalidKey> {
        Self::of(&["cache", tenant, stage.as_str(), digest])
    }

    /// The place of a value that all tenants share.
    pub fn warmed(stage: StageName, digest: &str) -> Result<Self, InvalidKey> {
        Self::of(&["warm", stage.as_str(), digest])
    }

    /// The key of `name` in the folder that this key is.
    pub fn join(&self, name: &str) -> Result<Self, InvalidKey> {
        let Self(folder) = self;
        Identifier::parse("key", name).map_err(|_| InvalidKey)?;
        Ok(Self(format!("{folder}/{name}")))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes, and the digest by which they are found.
#[derive(Clone, Debug)]
pub struct NamedBytes {
    /// The bytes.
    pub bytes: Bytes,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

impl NamedBytes {
    /// Computes the digest: half a millisecond for a megabyte.
    pub fn of(bytes: Bytes) -> Self {
        let sha256 = Sha256::digest(&bytes).into();
        Self { bytes, sha256 }
    }

    /// The digest in hexadecimal digits.
    pub fn name(&self) -> String {
        hex::encode(self.sha256)
    }
}

/// What a listing tells of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: ObjectKey,
    /// Its length.
    pub bytes: u64,
    /// Time since it was put, by the clocks of store and process.
    pub age: Duration,
}

/// Keeps objects whole or not at all. Every verb may be repeated.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// The object's bytes; `None` when there is none.
    async fn get(&self, key: &ObjectKey) -> Result<Option<Bytes>, ProviderError>;

    /// Puts an object unless there is one already, which stays. True when this put made it.
    async fn put_if_absent(&self, key: &ObjectKey, bytes: Bytes) -> Result<bool, ProviderError>;

    /// Puts an object under a key that names its bytes, whose SHA-256 the caller knows, in as few steps as
    /// the store has: nobody looks behind it, so that whoever reads it must compare the digest.
    async fn keep(&self, key: &ObjectKey, named: &NamedBytes) -> Result<(), ProviderError> {
        self.put_if_absent(key, named.bytes.clone()).await.map(drop)
    }

    /// Lays the same bytes under another key, without moving them through this process where the
    /// store can. False when there is nothing at `from`. Keys name their bytes: an object that is
    /// already there keeps them, and is as young as if it had been put now.
    async fn copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<bool, ProviderError>;

    /// The object's length in bytes; `None` when there is none.
    async fn size(&self, key: &ObjectKey) -> Result<Option<u64>, ProviderError>;

    /// Deletes every object below the folder `prefix`, and an object under `prefix` itself; says
    /// how many.
    async fn delete_prefix(&self, prefix: &ObjectKey) -> Result<usize, ProviderError>;

    /// The objects below the folder `prefix`.
    async fn list(&self, prefix: &ObjectKey) -> Result<Vec<Listed>, ProviderError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_leave_the_store() {
        for text in ["", "/", "/etc", "a//b", "a/", "../a", "a/..", "a/.part", "a b", "ä", "a\\b"]
        {
            assert_eq!(ObjectKey::parse(text), Err(InvalidKey), "{text}");
        }
        let job = JobId::parse("job-1").unwrap();
        let work = ObjectKey::work("acme", &job).unwrap();
        assert_eq!(work.join("passage-3.pcm").unwrap().as_str(), "work/acme/job-1/passage-3.pcm");
        assert_eq!(work.join("../job-2"), Err(InvalidKey));
        assert_eq!(ObjectKey::media("a/b", &job), Err(InvalidKey));
        let cache = ObjectKey::cache("acme", StageName::Tts, "0f").unwrap();
        assert_eq!(cache.as_str(), "cache/acme/tts/0f");
        assert_eq!(ObjectKey::cache("*", StageName::Tts, "0f"), Err(InvalidKey));
        assert_eq!(ObjectKey::warmed(StageName::Tts, "0f").unwrap().as_str(), "warm/tts/0f");
    }
}
