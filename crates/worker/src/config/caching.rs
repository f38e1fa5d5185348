//! `USE_CACHING`, `CACHE_TTL`, `WARM_TTL` and `CACHE_REDIS_URL` go in; what jobs share, and where, comes out.

use std::time::Duration;

use secrecy::SecretString;
use settings::Reader;

use super::queue::{QueueConfig, redis_url, trusting};

/// The longest life of what a tenant's jobs share: 30 days.
const MAX_TTL: Duration = Duration::from_hours(30 * 24);
/// The longest life of what all tenants share: a year.
const MAX_WARM_TTL: Duration = Duration::from_hours(365 * 24);

/// How jobs share results.
#[derive(Debug)]
pub(crate) struct CachingConfig {
    /// Whether they do at all.
    pub(crate) shares: bool,
    /// The cache's Redis; may hold a password.
    pub(crate) redis_url: SecretString,
    /// How long a result is good for.
    pub(crate) ttl: Duration,
    /// How long one is good for that was bought for all tenants before anybody asked.
    pub(crate) warm_ttl: Duration,
}

/// Reads the section; what it leaves open is the queue's.
pub(super) fn read(reader: &mut Reader, queue: Option<&QueueConfig>) -> Option<CachingConfig> {
    let shares = reader.flag("use_caching");
    let ttl = reader.duration("cache_ttl", Duration::from_secs(1)..=MAX_TTL);
    let warm_ttl = reader.duration("warm_ttl", Duration::from_secs(1)..=MAX_WARM_TTL);
    let url = reader.optional("cache_redis_url", redis_url);
    let queue = queue?;
    let redis_url = match url {
        Some(url) => trusting(&url, queue.ca_file.as_deref()),
        None => queue.redis_url.clone(),
    };
    Some(CachingConfig { shares: shares?, redis_url, ttl: ttl?, warm_ttl: warm_ttl? })
}
