//! The configuration goes in; what was found out about each neighbour and about this machine comes out,
//! and what to do.
//!
//! One area is one file and one row of [`AREAS`]: a function from what it asks to its findings. All are
//! asked side by side, each by a task of its own and for as long as its row says, so that none waits for a
//! silent or busy one.

pub(crate) mod bundle;
mod cache;
mod database;
mod disk;
mod finding;
mod machine;
mod outbox;
mod redis;
mod reuse;
mod storage;
mod worker;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) use self::finding::{Finding, Severity};
use crate::config::Config;

/// What an area does: it asks, and tells what it has found.
type Asking = Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>;

/// What is looked after.
struct Area {
    /// The word of what is told when nothing answers.
    name: &'static str,
    /// The longest that it may take.
    limit: Duration,
    ask: fn(Arc<Config>) -> Asking,
}

const CALLS: Duration = Duration::from_secs(30);
const TRIALS: Duration = Duration::from_mins(1);

/// Every area, in the order of its lines.
const AREAS: [Area; 8] = [
    area("redis", CALLS, |config| Box::pin(async move { redis::ask(&config).await })),
    area("cache", CALLS, |config| Box::pin(async move { cache::ask(&config).await })),
    area("reuse", CALLS, |config| Box::pin(async move { reuse::ask(&config).await })),
    area("database", CALLS, |config| Box::pin(async move { database::ask(&config).await })),
    area("storage", TRIALS, |config| Box::pin(async move { storage::ask(&config).await })),
    area("worker", TRIALS, |config| Box::pin(async move { worker::ask(&config).await })),
    area("disk", CALLS, |config| Box::pin(async move { disk::ask(&config).await })),
    area("machine", CALLS, |_| Box::pin(async { machine::look() })),
];

const fn area(name: &'static str, limit: Duration, ask: fn(Arc<Config>) -> Asking) -> Area {
    Area { name, limit, ask }
}

/// What all areas have found, in their order.
pub(crate) async fn examine(config: &Arc<Config>) -> Vec<Finding> {
    let mut asking = JoinSet::new();
    for (place, area) in AREAS.iter().enumerate() {
        let config = Arc::clone(config);
        asking.spawn(async move { (place, area.examine(config).await) });
    }
    let mut found = asking.join_all().await;
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().flat_map(|(_, findings)| findings).collect()
}

impl Area {
    async fn examine(&self, config: Arc<Config>) -> Vec<Finding> {
        let found = timeout(self.limit, (self.ask)(config)).await;
        found.unwrap_or_else(|_| {
            let silent = format!("no answer within {} s", self.limit.as_secs());
            vec![Finding::error(self.name, silent, "find out what hangs, and ask again")]
        })
    }
}
