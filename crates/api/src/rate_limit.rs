//! How often a token may ask, and the headers that tell it what is left
//! (draft-ietf-httpapi-ratelimit-headers-11).

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::{Code, Problem};

const WINDOW: Duration = Duration::from_mins(1);

type Limiter =
    RateLimiter<String, HashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// The requests of each token in a minute.
pub(crate) struct RateLimit {
    quota: NonZeroU32,
    limiter: Limiter,
}

/// What a token has left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    quota: u32,
    requests: u32,
    /// Until all of it is there again; where nothing is left, until one more request is.
    after: Duration,
}

impl RateLimit {
    pub(crate) fn new(quota: NonZeroU32) -> Self {
        let (a_window, store) = (Quota::per_minute(quota), HashMapStateStore::default());
        let limiter = RateLimiter::<_, _, _>::new(a_window, store, DefaultClock::default());
        Self { quota, limiter: limiter.with_middleware() }
    }

    /// Counts a request of the token `name`.
    pub(crate) fn count(&self, name: &str) -> (Left, Result<(), Problem>) {
        let left = |requests, after| Left { quota: self.quota.get(), requests, after };
        match self.limiter.check_key(&name.to_owned()) {
            Ok(state) => {
                let requests = state.remaining_burst_capacity();
                let used = self.quota.get().saturating_sub(requests);
                (left(requests, WINDOW * used / self.quota.get()), Ok(()))
            }
            Err(until) => {
                let after = until.wait_time_from(DefaultClock::default().now());
                (left(0, after), Err(refusal(after)))
            }
        }
    }
}

fn refusal(after: Duration) -> Problem {
    let seconds = whole_seconds(after).max(1);
    let detail = format!("this token may ask again in {seconds} s");
    Problem { retry_after: Some(seconds), ..Problem::new(Code::RateLimited, detail) }
}

impl Left {
    /// Adds what is left to the headers of an answer.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Self { quota, requests, after } = self;
        let policy = format!("\"token\";q={quota};w={}", WINDOW.as_secs());
        let left = format!("\"token\";r={requests};t={}", whole_seconds(after));
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Rounded up: who comes a moment too early comes in vain.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_own_and_is_told_what_is_left() {
        let limit = RateLimit::new(NonZeroU32::new(3).unwrap());
        let left: Vec<u32> = (0..3).map(|_| limit.count("acme").0.requests).collect();
        assert_eq!(left, [2, 1, 0]);
        let (left, refused) = limit.count("acme");
        let refused = refused.unwrap_err();
        assert_eq!((left.requests, refused.code), (0, Code::RateLimited));
        assert!((1..=20).contains(&refused.retry_after.unwrap()), "{refused:?}");
        assert!(limit.count("other").1.is_ok());
        let mut headers = HeaderMap::new();
        left.tell(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"token\";q=3;w=60");
        assert!(headers["ratelimit"].to_str().unwrap().starts_with("\"token\";r=0;t="));
    }
}
