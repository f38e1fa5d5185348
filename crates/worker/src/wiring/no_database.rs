//! In place of the database, in a build that leaves it out: the configuration has refused its address.

use std::future::{Future, ready};
use std::sync::Arc;

use pipeline::SourceStore;
use tokio::task::JoinSet;

use crate::config::{Config, DatabaseConfig};

/// There is none.
pub(crate) fn probe_database(
    _: &DatabaseConfig,
) -> impl Future<Output = anyhow::Result<Option<String>>> {
    ready(Ok(None))
}

/// There is none.
#[expect(clippy::unnecessary_wraps, reason = "the face of the database's file")]
pub(super) fn sources(
    _: &DatabaseConfig,
    _: &str,
    _: usize,
) -> anyhow::Result<Option<Arc<dyn SourceStore>>> {
    Ok(None)
}

/// There is no outbox.
#[expect(clippy::unnecessary_wraps, reason = "the face of the database's file")]
pub(crate) fn relay(_: &Config, _: &str) -> anyhow::Result<JoinSet<()>> {
    Ok(JoinSet::new())
}
