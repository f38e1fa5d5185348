//! What jobs share, and where: `USE_CACHING`, `CACHE_TTL`, `CACHE_REDIS_URL`.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::reader::Reader;
use super::sections::{DAY, SECOND, redis_address, trusting};
use super::{QueueConfig, redact};

/// Most days of a shared result.
const MAX_DAYS: u32 = 30;

/// How jobs share results.
#[derive(Debug)]
pub(crate) struct CachingConfig {
    /// Whether they do at all.
    pub(crate) shares: bool,
    /// The cache's Redis; may hold a password.
    pub(crate) redis_url: SecretString,
    /// How long a result is good for.
    pub(crate) ttl: Duration,
}

/// Reads the section.
pub(super) fn read(reader: &mut Reader, queue: Option<&QueueConfig>) -> Option<CachingConfig> {
    let shares = reader.flag("use_caching");
    let ttl = reader.duration("cache_ttl", SECOND..=DAY * MAX_DAYS);
    // The secret was already read from it.
    reader.text("cache_redis_url_file");
    let url = reader.read("cache_redis_url", redis_address)?;
    if let Some(url) = &url {
        reader.show("cache_redis_url", redact::address(url));
    }
    let queue = queue?;
    let redis_url = match url {
        Some(url) => trusting(&url, queue.ca_file.as_deref()).into(),
        None => queue.redis_url.expose_secret().into(),
    };
    Some(CachingConfig { shares: shares?, redis_url, ttl: ttl? })
}
