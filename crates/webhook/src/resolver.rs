//! A name goes in; its addresses come out if each of them may be reached, else none.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::Allowed;

/// How names become addresses.
#[async_trait]
pub(crate) trait Lookup: Send + Sync {
    /// All addresses of `host`.
    async fn lookup(&self, host: &str) -> io::Result<Vec<SocketAddr>>;
}

/// As the system does.
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.collect())
    }
}

/// Hands out what was looked at, and nothing else: the connection is made to these very addresses, so
/// that a name which leads elsewhere a moment later leads nowhere.
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) allowed: Arc<Allowed>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allowed) = (Arc::clone(&self.lookup), Arc::clone(&self.allowed));
        Box::pin(async move {
            let host = name.as_str();
            let found = lookup.lookup(host).await.map_err(|_| NotReached::Unknown)?;
            let may = |address: &SocketAddr| allowed.may_reach(address.ip());
            if found.is_empty() {
                return Err(NotReached::Unknown.into());
            }
            if !allowed.names(host) && !found.iter().all(may) {
                return Err(NotReached::Refused.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Why a name led to no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotReached {
    /// It has no address.
    Unknown,
    /// One of its addresses is not public.
    Refused,
}

impl fmt::Display for NotReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Error for NotReached {}

impl NotReached {
    /// The stable word of it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unknown => "name-unknown",
            Self::Refused => "address-refused",
        }
    }
}
