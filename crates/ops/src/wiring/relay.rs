//! The settings go in; jobs that applications write into the database's outbox are handed over beside the
//! workers.

use providers::postgres::{Relay, RelayOptions};
use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use crate::config::Config;

/// Hands over what applications write into the outbox, until the set is dropped. An embedded stack hands
/// over nothing: the application's jobs are for its own queue.
pub(crate) fn relay(config: &Config) -> anyhow::Result<JoinSet<()>> {
    let urls = config.reachable_redis()?.zip(config.database_url.as_ref());
    let Some((redis_url, url)) = urls.filter(|_| config.outbox.relays) else {
        return Ok(JoinSet::new());
    };
    let relay = Relay::new(RelayOptions {
        database_url: url.expose_secret().to_owned(),
        name: "stillcast serve outbox".to_owned(),
        redis_url: redis_url.to_owned(),
        queue: config.queue_name.clone(),
        keep: config.outbox.keep,
    })?;
    Ok(relay.start())
}
