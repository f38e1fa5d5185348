//! An address becomes connections, each with its own time-outs, to a server that is fit for a queue.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection, PubSub};
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use stillcast_enqueue::address::{assert_trust, connection_info};
use stillcast_enqueue::keys::Keys;

use crate::QueueError;

/// How long a call outside of the consumer's own loops may take: of an operator, or of a janitor.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long sent bytes may stay unacknowledged before the kernel gives the connection up.
const SILENT_PEER_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest pause between two tries to connect again: an outage's end is noticed within it.
const MAX_RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// Oldest server whose scripts know the flags that draining a full Redis needs.
const MIN_MAJOR_VERSION: u32 = 7;

/// One queue on one Redis.
#[derive(Clone, Debug)]
pub struct Endpoint {
    client: Client,
    keys: Keys,
}

/// What the server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerReport {
    /// Its version.
    pub version: String,
    /// What may lose jobs, one sentence each.
    pub warnings: Vec<String>,
}

impl Endpoint {
    /// Checks address (`redis://`, `unix://`, and `rediss://` with the feature `tls`) and name; connects to nothing yet.
    pub fn new(redis_url: &str, queue_name: &str) -> Result<Self, QueueError> {
        let keys = Keys::new(queue_name)?;
        let address = |error: redis::RedisError| QueueError::Address(error.to_string());
        // A peer that went silent must become an error: a manager connects again only after one.
        let tcp = TcpSettings::default().set_user_timeout(SILENT_PEER_TIMEOUT);
        let info = connection_info(redis_url).map_err(address)?.set_tcp_settings(tcp);
        Ok(Self { client: Client::open(info).map_err(address)?, keys })
    }

    /// The queue's keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A connection for many callers that comes back by itself after an outage.
    pub async fn shared(&self, response_timeout: Duration) -> RedisResult<ConnectionManager> {
        assert_trust(&self.client, CONNECT_TIMEOUT).await?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(response_timeout))
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(MAX_RECONNECT_DELAY);
        ConnectionManager::new_with_config(self.client.clone(), config).await
    }

    /// A connection for one caller; the only kind on which a command may block.
    pub async fn dedicated(
        &self,
        response_timeout: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(response_timeout));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// A connection without a runtime, for the thread that keeps the leases.
    pub fn blocking(&self, timeout: Duration) -> RedisResult<redis::Connection> {
        let connection = self.client.get_connection_with_timeout(timeout)?;
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        Ok(connection)
    }

    /// A connection that listens.
    pub async fn listener(&self) -> RedisResult<PubSub> {
        self.client.get_async_pubsub().await
    }

    /// Refuses a server that would lose jobs; warns of one that may.
    pub async fn examine(
        &self,
        connection: &mut ConnectionManager,
    ) -> Result<ServerReport, QueueError> {
        let info: String = redis::cmd("INFO").query_async(connection).await?;
        let field = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.unwrap_or_default().trim().to_owned()
        };
        let version = field("redis_version");
        refuse_unfit(&version, &field("maxmemory_policy"))?;
        let appendfsync = appendfsync(connection).await;
        let warnings = warnings(field("aof_enabled") == "1", appendfsync.as_deref());
        Ok(ServerReport { version, warnings })
    }
}

fn refuse_unfit(version: &str, policy: &str) -> Result<(), QueueError> {
    let major: u32 = version.split('.').next().and_then(|word| word.parse().ok()).unwrap_or(0);
    if major < MIN_MAJOR_VERSION {
        let text = format!("Redis {version} is too old: the queue needs {MIN_MAJOR_VERSION}.0");
        return Err(QueueError::Unfit(text));
    }
    if !policy.is_empty() && policy != "noeviction" {
        return Err(QueueError::Unfit(format!(
            "maxmemory-policy is `{policy}`: Redis would evict waiting jobs; set it to noeviction"
        )));
    }
    Ok(())
}

/// Managed servers bar CONFIG; then only INFO speaks.
async fn appendfsync(connection: &mut ConnectionManager) -> Option<String> {
    let mut command = redis::cmd("CONFIG");
    let pair: Vec<String> =
        command.arg("GET").arg("appendfsync").query_async(connection).await.ok()?;
    pair.into_iter().nth(1)
}

fn warnings(append_only: bool, appendfsync: Option<&str>) -> Vec<String> {
    let sentence = match (append_only, appendfsync) {
        (false, _) => "appendonly is off: a restart of Redis loses every waiting job",
        (true, Some("everysec")) => {
            "appendfsync is everysec: killing Redis may lose the last second of acknowledged jobs"
        }
        (true, Some("no")) => {
            "appendfsync is no: killing the host may lose every job since the last flush"
        }
        (true, _) => return Vec::new(),
    };
    vec![sentence.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfit_servers_are_refused() {
        assert!(refuse_unfit("7.0.15", "noeviction").is_ok());
        assert!(refuse_unfit("7.0.15", "").is_ok());
        assert!(refuse_unfit("8.0.1", "allkeys-lru").is_err());
        assert!(refuse_unfit("6.2.0", "noeviction").is_err());
    }

    #[test]
    fn bad_addresses_are_refused_at_once() {
        let error = Endpoint::new("nowhere", "faults").unwrap_err().to_string();
        assert!(error.contains("REDIS_URL") && error.contains("parse"), "{error}");
        let secret = Endpoint::new("redis://user:secret@:x", "faults").unwrap_err();
        assert!(!format!("{secret} {secret:?}").contains("secret"));
    }

    #[test]
    fn weak_durability_is_said() {
        assert!(warnings(true, Some("always")).is_empty());
        assert!(warnings(true, None).is_empty());
        assert_eq!(warnings(true, Some("everysec")).len(), 1);
        assert_eq!(warnings(false, None).len(), 1);
    }
}
