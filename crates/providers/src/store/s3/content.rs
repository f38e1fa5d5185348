//! A file or bytes go in; what shall lie under a key comes out, in one piece or in parts, with its
//! headers.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use pipeline::{NamedBytes, ObjectKey, ProviderError, arithmetic};
use sha2::{Digest, Sha256};
use stillcast_enqueue::Container;

use super::failure;
use crate::store::blocking::blocking;
use crate::store::contract::Finished;
use crate::store::error::at;
use crate::store::live::{LIVE_LIST_TYPE, LIVE_TYPE};

/// The metadata that holds the digest, for stores that keep no checksums.
pub(super) const DIGEST: &str = "sha256";

/// For how long a browser, and whoever is in between, may keep a file: its key names its bytes.
const PUBLIC: &str = "public, max-age=31536000, immutable";
const PRIVATE: &str = "private, immutable";

/// A body and its headers.
#[derive(Clone)]
pub(super) struct Content {
    body: Body,
    pub(super) bytes: u64,
    pub(super) sha256: [u8; 32],
    pub(super) media_type: &'static str,
    pub(super) cache_control: Option<&'static str>,
}

/// Where the bytes are.
#[derive(Clone)]
enum Body {
    File(PathBuf),
    Bytes(Bytes),
}

impl Content {
    /// A delivered file, which anyone may keep who can fetch it at a public address.
    pub(super) fn file(file: &Finished, is_public: bool) -> Result<Self, ProviderError> {
        let unreadable = |_| failure::unreadable("its digest is none");
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&file.sha256, &mut sha256).map_err(unreadable)?;
        Ok(Self {
            body: Body::File(file.path.clone()),
            bytes: file.bytes,
            sha256,
            media_type: file.content_type,
            cache_control: Some(if is_public { PUBLIC } else { PRIVATE }),
        })
    }

    /// Bytes for an object that no browser keeps.
    pub(super) async fn of(bytes: Bytes, key: &ObjectKey) -> Result<Self, ProviderError> {
        let named = arithmetic(move || NamedBytes::of(bytes)).await;
        let named = named.map_err(|error| failure::unreadable(&error.to_string()))?;
        Ok(Self::named(&named, key))
    }

    /// The same of bytes whose digest is known.
    pub(super) fn named(named: &NamedBytes, key: &ObjectKey) -> Self {
        let NamedBytes { bytes, sha256 } = named.clone();
        let ending = Path::new(key.as_str()).extension();
        let media_type = match ending.and_then(|ending| ending.to_str()) {
            Some("json") => "application/json",
            Some("mp4" | "m4s") => LIVE_TYPE,
            Some("m3u8") => LIVE_LIST_TYPE,
            _ => "application/octet-stream",
        };
        let length = bytes.len() as u64;
        let body = Body::Bytes(bytes);
        Self { body, bytes: length, sha256, media_type, cache_control: None }
    }

    pub(super) async fn whole(&self) -> Result<Bytes, ProviderError> {
        self.part(0, self.bytes).await
    }

    /// `length` bytes from `offset` on.
    pub(super) async fn part(&self, offset: u64, length: u64) -> Result<Bytes, ProviderError> {
        let (from, size) = (as_size(offset)?, as_size(length)?);
        match self.body.clone() {
            Body::Bytes(bytes) => Ok(bytes.slice(from..from + size)),
            Body::File(path) => {
                let read = move || {
                    let mut part = vec![0; size];
                    let file = File::open(&path).map_err(at(&path))?;
                    file.read_exact_at(&mut part, offset).map_err(at(&path))?;
                    Ok(Bytes::from(part))
                };
                let read = blocking(read).await;
                read.map_err(|error| failure::unreadable(&error.to_string()))
            }
        }
    }

    /// What a browser calls the file when it is saved.
    pub(super) fn disposition(&self) -> Option<String> {
        let extension = match self.media_type {
            "application/x-subrip" => "srt",
            "image/jpeg" => "jpg",
            text if text.starts_with("text/vtt") => "vtt",
            text if text.starts_with("text/plain") => "txt",
            other => {
                Container::ALL.into_iter().find(|known| known.content_type() == other)?.extension()
            }
        };
        Some(format!("inline; filename=\"meditation.{extension}\""))
    }
}

/// The digest of one part.
pub(super) fn digest(part: &[u8]) -> [u8; 32] {
    Sha256::digest(part).into()
}

/// A digest as S3's headers spell it.
pub(super) fn base64(digest: &[u8]) -> String {
    aws_smithy_types::base64::encode(digest)
}

fn as_size(length: u64) -> Result<usize, ProviderError> {
    usize::try_from(length).map_err(|_| failure::unreadable("it is larger than this machine"))
}
