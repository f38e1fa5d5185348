//! What a courier says of one attempt goes in; what the queue makes of it comes out.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use stillcast_enqueue::WebhookAttempt;

use super::delivery::Delivery;
use super::schedule;
use crate::scripts::webhook_calls::NotifiedRequest;

/// How much of an answer is kept.
const MAX_ANSWER: usize = 1024;
/// The receiver wants no more of it.
const GONE: u16 = 410;
/// Statuses whose `Retry-After` is kept to: too many requests, and a gateway without its server.
const ASKS_TO_WAIT: [u16; 4] = [429, 502, 503, 504];
/// How long a delivery waits that nobody here can sign.
const UNSIGNED: Duration = Duration::from_mins(5);
/// How long one waits for its turn at a receiver that is slow.
const CROWDED: Duration = Duration::from_secs(2);

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It was sent, or could not be.
    Made {
        /// When it began.
        at: DateTime<Utc>,
        /// The status of the answer, when there was one.
        status: Option<u16>,
        /// One stable word when there was none, such as `timed-out`.
        error: Option<&'static str>,
        /// Until the head of the answer, or the failure.
        latency: Duration,
        /// The beginning of the answer's body.
        answer: Vec<u8>,
        /// How long the receiver asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The tenant has no secret here: nothing is sent unsigned.
    NoSecret,
    /// The receiver has as many attempts under way as one may have.
    Crowded,
}

/// Signs deliveries and sends them.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Makes one attempt, within half a minute. Never fails: what goes wrong is the attempt.
    async fn send(&self, delivery: &Delivery) -> Attempt;

    /// Whether it has any secret. One that has none takes only what nobody else has taken.
    fn can_sign(&self) -> bool;
}

impl Attempt {
    /// One that the courier did not end in time.
    pub(super) fn stuck(after: Duration) -> Self {
        Self::Made {
            at: Utc::now() - after,
            status: None,
            error: Some("timed-out"),
            latency: after,
            answer: Vec::new(),
            retry_after: None,
        }
    }

    /// What the queue is told; `jitter` lies between 0 and 1.
    pub(super) fn report(&self, delivery: &Delivery, jitter: f64) -> NotifiedRequest {
        let (outcome, delay, why) = self.verdict(delivery.attempt, jitter);
        let (attempt, answer) = self.record(delivery);
        NotifiedRequest { outcome, delay, why, attempt, answer }
    }

    fn verdict(&self, number: usize, jitter: f64) -> (&'static str, Duration, &'static str) {
        let settled = |outcome| (outcome, Duration::ZERO, "due");
        let Self::Made { status, retry_after, .. } = self else {
            let is_unsigned = matches!(self, Self::NoSecret);
            let (delay, why) = if is_unsigned { (UNSIGNED, "no-secret") } else { (CROWDED, "due") };
            return ("held", delay.mul_f64(1.0 + jitter), why);
        };
        match status {
            Some(200..=299) => settled("delivered"),
            Some(GONE) => settled("off"),
            _ => {
                let asked =
                    retry_after.filter(|_| status.is_some_and(|s| ASKS_TO_WAIT.contains(&s)));
                let next = schedule::after(number, jitter, asked.unwrap_or_default());
                next.map_or_else(|| settled("exhausted"), |delay| ("failed", delay, "due"))
            }
        }
    }

    /// The attempt as it is kept, and the beginning of its answer.
    fn record(&self, delivery: &Delivery) -> (String, String) {
        let Self::Made { at, status, error, latency, answer, .. } = self else {
            return (String::new(), String::new());
        };
        let attempt = WebhookAttempt {
            id: delivery.event.clone(),
            at: *at,
            status: *status,
            error: error.map(str::to_owned),
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            answer: None,
        };
        let attempt = serde_json::to_string(&attempt).expect("plain data always serializes");
        let answer = String::from_utf8_lossy(&answer[..answer.len().min(MAX_ANSWER)]);
        (attempt, answer.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::schedule::MAX_TRIES;

    fn verdict(status: Option<u16>, number: usize, retry_after: u64) -> (&'static str, u64) {
        let attempt = Attempt::Made {
            at: Utc::now(),
            status,
            error: None,
            latency: Duration::ZERO,
            answer: Vec::new(),
            retry_after: Some(Duration::from_secs(retry_after)).filter(|wait| !wait.is_zero()),
        };
        let (outcome, delay, _) = attempt.verdict(number, 0.5);
        (outcome, delay.as_secs())
    }

    #[test]
    fn a_status_decides_what_comes_next() {
        for (status, retry_after, expected) in [
            (Some(200), 0, ("delivered", 0)),
            (Some(204), 9, ("delivered", 0)),
            (Some(410), 0, ("off", 0)),
            (Some(301), 0, ("failed", 5)),
            (Some(404), 60, ("failed", 5)),
            (Some(500), 60, ("failed", 5)),
            (Some(429), 60, ("failed", 60)),
            (Some(503), 2, ("failed", 5)),
            (Some(502), 60, ("failed", 60)),
            (Some(504), 1_000_000, ("failed", 86_400)),
            (None, 60, ("failed", 5)),
        ] {
            assert_eq!(verdict(status, 1, retry_after), expected, "{status:?} {retry_after}");
        }
        assert_eq!(verdict(Some(500), MAX_TRIES, 0), ("exhausted", 0));
        assert_eq!(verdict(Some(410), MAX_TRIES, 0), ("off", 0));
    }
}
