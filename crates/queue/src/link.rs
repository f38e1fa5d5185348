//! The way to Redis: the queue's scripts, and a connection on which to call them.

use redis::aio::ConnectionManager;

use crate::scripts::Scripts;
use crate::scripts::lease_calls::LeaseCalls;

/// Scripts and a connection. Cheap to clone; all clones share the connection.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) scripts: Scripts,
    pub(crate) connection: ConnectionManager,
}

impl Link {
    /// The calls under the lease of the job `id`.
    pub(crate) fn lease<'call>(
        &'call self,
        id: &'call str,
        token: &'call str,
    ) -> LeaseCalls<'call> {
        self.scripts.lease(self.connection.clone(), id, token)
    }
}
