//! An address becomes connections, each with its own time-outs, to a server that is fit for a queue.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, RedisError, RedisResult};
use stillcast_enqueue::connection::{Patience, SharedConnection, Watch};
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::route::Route;

use crate::QueueError;

/// How long a call outside of the consumer's own loops may take: of an operator, or of a janitor.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the first connection is tried.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long sent bytes may stay unacknowledged before the kernel gives the connection up.
const SILENT_PEER_TIMEOUT: Duration = Duration::from_secs(5);

/// One queue on one Redis.
#[derive(Clone, Debug)]
pub struct Endpoint {
    route: Route,
    keys: Keys,
}

impl Endpoint {
    /// Checks address (`redis://`, `unix://`, `redis+sentinel://`, and `rediss://` with the feature `tls`) and
    /// name; connects to nothing yet.
    pub fn new(redis_url: &str, queue_name: &str) -> Result<Self, QueueError> {
        let keys = Keys::new(queue_name)?;
        let address = |error: RedisError| QueueError::Address(error.to_string());
        // A peer that went silent must become an error, also for those who only listen.
        let tcp = TcpSettings::default().set_user_timeout(SILENT_PEER_TIMEOUT);
        let route = Route::to(redis_url, |info| info.set_tcp_settings(tcp)).map_err(address)?;
        Ok(Self { route, keys })
    }

    /// The queue's keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A connection for many callers that is opened anew whenever the server behind it no longer serves.
    pub async fn shared(&self, response_timeout: Duration) -> RedisResult<SharedConnection> {
        self.watched(response_timeout, Arc::new(|_| ())).await
    }

    /// The same, opened by its first call.
    pub(crate) fn at_first_use(&self, response_timeout: Duration) -> SharedConnection {
        let patience = Patience { connect: response_timeout, answer: response_timeout };
        SharedConnection::unwatched(self.route.clone(), patience)
    }

    /// The same as [`Endpoint::shared`], and `watch` hears how it fares.
    pub(crate) async fn watched(
        &self,
        response_timeout: Duration,
        watch: Watch,
    ) -> RedisResult<SharedConnection> {
        let patience = Patience { connect: response_timeout, answer: response_timeout };
        let connection = SharedConnection::new(self.route.clone(), patience, watch);
        connection.open(OPEN_TIMEOUT).await?;
        Ok(connection)
    }

    /// A connection for one caller; the only kind on which a command may block.
    pub async fn dedicated(
        &self,
        response_timeout: Duration,
    ) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(response_timeout))
            .set_response_timeout(Some(response_timeout));
        self.route.locate(response_timeout).await?;
        self.route.client().get_multiplexed_async_connection_with_config(&config).await
    }

    /// A connection without a runtime, for the thread that keeps the leases.
    pub fn blocking(&self, timeout: Duration) -> RedisResult<redis::Connection> {
        self.route.locate_blocking(timeout)?;
        let connection = self.route.client().get_connection_with_timeout(timeout)?;
        connection.set_read_timeout(Some(timeout))?;
        connection.set_write_timeout(Some(timeout))?;
        Ok(connection)
    }

    /// A connection that listens.
    pub async fn listener(&self) -> RedisResult<PubSub> {
        self.route.locate(CALL_TIMEOUT).await?;
        self.route.client().get_async_pubsub().await
    }

    /// A connection of one's own failed like this: the next one may lead elsewhere.
    pub(crate) fn failed(&self, error: &RedisError) {
        self.route.follow(error);
    }

    /// The node of a cluster to which the address has led.
    pub(crate) fn node(&self) -> Option<String> {
        self.route.node_address()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_addresses_are_refused_at_once() {
        let error = Endpoint::new("nowhere", "faults").unwrap_err().to_string();
        assert!(error.contains("REDIS_URL") && error.contains("parse"), "{error}");
        let secret = Endpoint::new("redis://user:secret@:x", "faults").unwrap_err();
        assert!(!format!("{secret} {secret:?}").contains("secret"));
    }
}
