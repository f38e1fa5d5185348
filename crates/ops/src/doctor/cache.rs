//! The Redis in which workers share results: whether it answers, and how soon.

use queue::{CheckUp, Endpoint, Inspector};

use super::finding::{Finding, said};
use super::redis::answers;
use crate::config::Config;
use crate::connect::PATIENCE;

const CURE: &str =
    "start it, or correct CACHE_REDIS_URL; until then each job pays for what others have";
const INFO: &str = "grant +info to its user: what cannot be measured is not filled";

pub(super) async fn ask(config: &Config) -> Vec<Finding> {
    let about = "cache";
    match check_up(config).await {
        Ok(None) => vec![Finding::ok(about, "in the queue's Redis (CACHE_REDIS_URL is not set)")],
        Ok(Some(checked)) => vec![standing(&checked), answers("cache-latency", &checked)],
        Err(error) => vec![Finding::error(about, said(&error), CURE)],
    }
}

/// `None` where it is the queue's.
async fn check_up(config: &Config) -> anyhow::Result<Option<CheckUp>> {
    let Some(url) = config.reachable_cache()? else { return Ok(None) };
    let endpoint = Endpoint::new(url, &config.queue_name)?;
    Ok(Some(Inspector::connect_within(endpoint, PATIENCE).await?.check_up().await?))
}

fn standing(checked: &CheckUp) -> Finding {
    let Some(told) = &checked.told else {
        let found = "its user may not INFO, so that workers keep nothing there";
        return Finding::warning("cache", found, INFO);
    };
    Finding::ok("cache", format!("Redis {} with maxmemory-policy {}", told.version, told.policy))
}
