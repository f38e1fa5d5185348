//! What a server tells of its memory goes in; whether it may take another value comes out.

/// Nothing is put into a server without eviction above this share of its memory, in percent.
const FULL_AT: u64 = 60;

/// Whether `INFO memory` tells of a server without eviction that is nearly full.
pub(super) fn is_crowded(info: &str) -> bool {
    let field = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim)
    };
    let number = |name| field(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (used, limit) = (number("used_memory"), number("maxmemory"));
    let evicts = field("maxmemory_policy").is_some_and(|policy| policy != "noeviction");
    !evicts && limit > 0 && used.saturating_mul(100) > limit.saturating_mul(FULL_AT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(used: u64, limit: u64, policy: &str) -> String {
        format!(
            "# Memory\r\nused_memory:{used}\r\nused_memory_human:1M\r\nmaxmemory:{limit}\r\nmaxmemory_policy:{policy}\r\n"
        )
    }

    #[test]
    fn only_a_server_that_cannot_evict_is_spared() {
        assert!(is_crowded(&info(61, 100, "noeviction")));
        assert!(!is_crowded(&info(60, 100, "noeviction")));
        assert!(!is_crowded(&info(99, 100, "allkeys-lru")));
        assert!(!is_crowded(&info(u64::MAX, 0, "noeviction")));
    }
}
