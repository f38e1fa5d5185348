//! The way to Redis: the queue's scripts, and a connection on which to call them.

use redis::aio::ConnectionManager;

use crate::scripts::Scripts;

/// Scripts and a connection. Cheap to clone; all clones share the connection.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) scripts: Scripts,
    pub(crate) connection: ConnectionManager,
}
