//! What the workers have told of the last hour: how much was had again instead of being bought.

use std::time::Duration;

use queue::CacheUse;

use super::finding::{Finding, said};
use crate::config::Config;
use crate::connect;

const ABOUT: &str = "cache-hits";
const HOUR: Duration = Duration::from_hours(1);
/// So many results in a row without one that was had again are no accident.
const MANY: u64 = 50;
const CURE: &str = "where jobs do ask for the same, see the line `cache`, and USE_CACHING and CACHE_TTL of the \
                    workers";
const AWAY: &str = "mend what the line `redis` says";

pub(super) async fn ask(config: &Config) -> Vec<Finding> {
    vec![match used(config).await {
        Ok(used) => judge(used),
        Err(error) => Finding::warning(ABOUT, format!("not known: {}", said(&error)), AWAY),
    }]
}

async fn used(config: &Config) -> anyhow::Result<CacheUse> {
    Ok(connect::patient_inspector(config).await?.history(HOUR).await?.total.cache)
}

fn judge(CacheUse { hits, misses }: CacheUse) -> Finding {
    let all = hits + misses;
    if all == 0 {
        return Finding::ok(ABOUT, "nothing was made in the last hour");
    }
    let share = hits as f64 / all as f64 * 100.0;
    let found = format!("{hits} of {all} results of the last hour were had again, {share:.0} %");
    if hits == 0 && misses >= MANY {
        return Finding::warning(ABOUT, found, CURE);
    }
    Finding::ok(ABOUT, found)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity;
    use super::*;

    #[test]
    fn an_hour_of_misses_alone_is_worth_a_look() {
        let of = |hits, misses| judge(CacheUse { hits, misses });
        assert_eq!(of(0, 49).severity, Severity::Ok);
        assert_eq!(of(0, 50).severity, Severity::Warning);
        assert!(of(30, 10).found.contains("75 %"), "{:?}", of(30, 10));
    }
}
