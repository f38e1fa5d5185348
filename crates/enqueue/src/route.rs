//! The address of a Redis goes in; where to connect now comes out: there, at the node of its cluster
//! that keeps the keys, or at the primary that its sentinels name.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::{Client, ConnectionAddr, ConnectionInfo, RedisError, RedisResult, ServerErrorKind};

use crate::address::connection_info;
use crate::sentinel::{self, Place, Sentinels};

/// The way to one server. Cheap to clone; all clones go the same way.
#[derive(Clone, Debug)]
pub struct Route(Arc<Mutex<Ways>>);

#[derive(Debug)]
struct Ways {
    address: Client,
    /// The node of which the address has told.
    node: Option<Client>,
    takes_node: bool,
    /// Who is asked before each connection.
    sentinels: Option<Arc<Sentinels>>,
    /// Whether they have ever named a primary.
    is_located: bool,
}

impl Route {
    /// The way to `client`.
    pub fn new(client: Client) -> Self {
        Self::of(client, None)
    }

    /// The way to `address`, with what `settle` changes of how to connect there.
    pub fn to(
        address: &str,
        settle: impl FnOnce(ConnectionInfo) -> ConnectionInfo,
    ) -> RedisResult<Self> {
        let (sentinels, info) = match sentinel::parse(address) {
            Some(read) => {
                let (sentinels, primary) = read?;
                (Some(Arc::new(sentinels)), primary.get_connection_info().clone())
            }
            None => (None, connection_info(address)?),
        };
        Ok(Self::of(Client::open(settle(info))?, sentinels))
    }

    fn of(address: Client, sentinels: Option<Arc<Sentinels>>) -> Self {
        let ways = Ways { address, node: None, takes_node: false, sentinels, is_located: false };
        Self(Arc::new(Mutex::new(ways)))
    }

    /// Asks the sentinels, if there are any, where to connect now, for at most `limit`. When none answers, it
    /// stays at the primary that they named last.
    pub async fn locate(&self, limit: Duration) -> RedisResult<()> {
        let Some(sentinels) = self.sentinels() else { return Ok(()) };
        self.take(sentinels.locate(limit).await)
    }

    /// The same without a runtime.
    pub fn locate_blocking(&self, limit: Duration) -> RedisResult<()> {
        let Some(sentinels) = self.sentinels() else { return Ok(()) };
        self.take(sentinels.locate_blocking(limit))
    }

    fn sentinels(&self) -> Option<Arc<Sentinels>> {
        self.ways().sentinels.clone()
    }

    fn take(&self, located: RedisResult<Place>) -> RedisResult<()> {
        match located {
            Ok((host, port)) => {
                let primary = self.node(&host, port)?;
                let mut ways = self.ways();
                (ways.address, ways.is_located) = (primary, true);
                Ok(())
            }
            // Whoever serves goes on serving without them.
            Err(_) if self.ways().is_located => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Where to connect now; a host's name is resolved anew by each connection.
    pub fn client(&self) -> Client {
        let ways = self.ways();
        let node = ways.node.as_ref().filter(|_| ways.takes_node);
        node.unwrap_or(&ways.address).clone()
    }

    /// The node that the address has named.
    pub fn node_address(&self) -> Option<String> {
        let ways = self.ways();
        ways.node.as_ref().map(|node| node.get_connection_info().addr().to_string())
    }

    /// Whether [`Route::client`] is now a node that the address has named.
    pub fn takes_node(&self) -> bool {
        self.ways().takes_node
    }

    /// A node that names another one decides where to connect next.
    pub fn follow(&self, error: &RedisError) -> bool {
        let node = moved_to(error).and_then(|(host, port)| self.node(host, port).ok());
        let is_named = node.is_some();
        if is_named {
            let mut ways = self.ways();
            (ways.node, ways.takes_node) = (node, true);
        }
        is_named
    }

    /// Where `was_node` told of [`Route::takes_node`], there is nobody to serve: the other one of the
    /// two places known is tried next.
    pub fn leave(&self, was_node: bool) {
        let mut ways = self.ways();
        if ways.takes_node == was_node {
            ways.takes_node = ways.node.is_some() && !was_node;
        }
    }

    /// The same user, database and trust at another host and port.
    fn node(&self, host: &str, port: u16) -> RedisResult<Client> {
        let info = self.client().get_connection_info().clone();
        // A node that does not know its own name leaves it out: it is the one that was asked.
        let named = |asked: &str| if host.is_empty() { asked } else { host }.to_owned();
        let addr = match info.addr() {
            ConnectionAddr::TcpTls { host, insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host: named(host),
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(named(host), port),
            _ => ConnectionAddr::Tcp(named("localhost"), port),
        };
        Client::open(info.set_addr(addr))
    }

    fn ways(&self) -> MutexGuard<'_, Ways> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `MOVED 5798 host:port`; another node keeps the keys.
fn moved_to(error: &RedisError) -> Option<(&str, u16)> {
    if error.kind() != ServerErrorKind::Moved.into() {
        return None;
    }
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    let is_plain =
        host.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:".contains(letter));
    Some((host, port.parse().ok()?)).filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    fn refused(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        let Value::ServerError(error) = value else { panic!("{value:?}") };
        error.into()
    }

    fn place(route: &Route) -> String {
        route.client().get_connection_info().addr().to_string()
    }

    #[test]
    fn a_node_that_another_one_names_is_where_to_go() {
        let route = Route::new(Client::open("redis://user:word@here:6379/0").unwrap());
        for (line, at) in [
            ("MOVED 5798 10.0.0.7:7001", "10.0.0.7:7001"),
            ("MOVED 5798 node-2.example:7002", "node-2.example:7002"),
            ("MOVED 5798 :7003", "node-2.example:7003"),
            ("MOVED 5798 ::1:7004", "::1:7004"),
        ] {
            assert!(route.follow(&refused(line)));
            assert_eq!(place(&route), at, "{line}");
            let client = route.client();
            let settings = client.get_connection_info().redis_settings();
            assert_eq!((settings.username(), settings.password()), (Some("user"), Some("word")));
        }
    }

    #[test]
    fn a_place_that_fails_is_left_for_the_other_one() {
        let route = Route::new(Client::open("redis://here:6379").unwrap());
        route.leave(false);
        assert_eq!(place(&route), "here:6379", "there is no other");
        assert!(route.follow(&refused("MOVED 1 there:7001")));
        for at in ["here:6379", "there:7001", "here:6379"] {
            let was_node = route.takes_node();
            route.leave(was_node);
            route.leave(was_node);
            assert_eq!(place(&route), at, "two callers who fail at one place leave it once");
        }
    }

    #[test]
    fn a_redirection_to_nowhere_is_not_followed() {
        let route = Route::new(Client::open("redis://here:6379").unwrap());
        for line in ["MOVED", "MOVED 1", "MOVED 1 there", "MOVED 1 there:x", "MOVED 1 a/b@c:7001"] {
            assert!(!route.follow(&refused(line)));
            assert_eq!(place(&route), "here:6379", "{line}");
        }
    }
}
