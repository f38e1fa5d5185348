//! The headers of an answer go in; what the server tells of the account's limits comes out.

use std::time::Duration;

use pipeline::{FailureClass, ProviderError};
use reqwest::header::HeaderMap;

/// What is asked by a refusal for too many calls that names no wait.
const UNSTATED: Duration = Duration::from_secs(1);
/// Longer waits are no waits: somebody's clock or unit is wrong.
const MAX_SECONDS: f64 = 24.0 * 3600.0;

/// What a server has told of an account's limits: `x-ratelimit-…` and `Retry-After`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// How long it has asked to be left alone.
    pub asked: Option<Duration>,
    /// Of requests.
    pub requests: RateLimit,
    /// Of tokens.
    pub tokens: RateLimit,
}

/// What a server has told of one limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimit {
    /// How many there are.
    pub limit: Option<u64>,
    /// How many are left.
    pub remaining: Option<u64>,
    /// After which time all are there again.
    pub reset: Option<Duration>,
}

impl RateLimits {
    pub(super) fn told_by(headers: &HeaderMap) -> Self {
        let of = |what| RateLimit::told_by(headers, what);
        Self { asked: None, requests: of("requests"), tokens: of("tokens") }
    }

    /// The same, with what a refusal asks for: it passes, and names a wait or too many calls.
    pub(super) fn asked_by(self, error: &ProviderError) -> Self {
        let FailureClass::Transient { retry_after } = error.failure else { return self };
        let too_many = (error.code == "rate-limited").then_some(UNSTATED);
        Self { asked: retry_after.or(too_many), ..self }
    }
}

impl RateLimit {
    fn told_by(headers: &HeaderMap, what: &str) -> Self {
        let text = |which: &str| {
            let value = headers.get(format!("x-ratelimit-{which}-{what}"))?;
            value.to_str().ok().map(str::trim)
        };
        let number = |which| text(which)?.parse().ok();
        let reset = text("reset").and_then(time);
        Self { limit: number("limit"), remaining: number("remaining"), reset }
    }
}

/// `6m0s`, `120ms`, `1h2m3.5s`, or a number of seconds.
fn time(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        let unit = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" | "" => 1.0,
            "ms" => 1e-3,
            "us" => 1e-6,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        rest = next;
    }
    (0.0..=MAX_SECONDS).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&'static str, &str)]) -> RateLimits {
        let pairs =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        RateLimits::told_by(&pairs.collect::<HeaderMap>())
    }

    #[test]
    fn what_servers_tell_is_read_and_what_nobody_means_is_not() {
        let limits = told(&[
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "120ms"),
            ("x-ratelimit-remaining-tokens", " 149984 "),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ]);
        let reset = Some(Duration::from_millis(120));
        assert_eq!(limits.requests, RateLimit { limit: Some(500), remaining: Some(0), reset });
        let reset = Some(Duration::from_mins(6));
        assert_eq!(limits.tokens, RateLimit { limit: None, remaining: Some(149_984), reset });
        assert_eq!(told(&[]), RateLimits::default());
        let wrong = told(&[
            ("x-ratelimit-limit-requests", "-1"),
            ("x-ratelimit-remaining-requests", "many"),
            ("x-ratelimit-reset-requests", "2026-11-23T06:00:00Z"),
        ]);
        assert_eq!(wrong, RateLimits::default());
    }

    #[test]
    fn times_are_those_of_go_or_seconds() {
        for (text, seconds) in
            [("7.66s", 7.66), ("1h2m3.5s", 3_723.5), ("0.5", 0.5), ("1d", 86_400.0), ("0s", 0.0)]
        {
            assert_eq!(time(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["s", "soon", "-1s", "1e99", "2d", "1w", "NaN"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn a_refusal_asks_for_its_wait_and_one_without_a_wait_for_a_second() {
        let asked = |error: ProviderError| RateLimits::default().asked_by(&error).asked;
        let transient = |code, retry_after| {
            ProviderError::new("one", FailureClass::Transient { retry_after }, code, "no")
        };
        let wait = Some(Duration::from_secs(7));
        assert_eq!(asked(transient("rate-limited", wait)), wait);
        assert_eq!(asked(transient("rate-limited", None)), Some(UNSTATED));
        assert_eq!(asked(transient("provider-failed", wait)), wait);
        assert_eq!(asked(transient("provider-failed", None)), None);
        assert_eq!(asked(ProviderError::misconfigured("one", "quota-exhausted", "no")), None);
    }
}
