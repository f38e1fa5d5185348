//! Attempts that a provider refused go in; when the next job may be claimed comes out.
//!
//! A job that parks for `provider` says that this worker's account or set-up is at fault, and that
//! every other job would meet the same. The breaker opens: nothing is claimed but one probe job
//! each interval, until one is delivered. What runs already goes on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::{Outcome, ParkReason};

/// Closed, or open since a refusal.
pub(crate) struct Breaker {
    interval: Duration,
    refused: Mutex<Option<Refused>>,
    changed: Notify,
}

/// An open breaker.
struct Refused {
    /// When the next probe may be claimed.
    again: Instant,
    /// The job that probes.
    probe: Option<String>,
}

impl Breaker {
    /// A closed breaker; open, it lets a job through each `interval`.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, refused: Mutex::default(), changed: Notify::new() }
    }

    /// Returns when a job may be claimed; cancel-safe.
    pub(crate) async fn may_claim(&self) {
        loop {
            let changed = self.changed.notified();
            let again = match &*self.refused() {
                None => return,
                Some(Refused { probe: Some(_), .. }) => None,
                Some(Refused { again, .. }) if *again <= Instant::now() => return,
                Some(Refused { again, .. }) => Some(*again),
            };
            let due = async {
                match again {
                    Some(again) => sleep_until(again).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! { () = changed => {}, () = due => {} }
        }
    }

    /// Notes that `job` was claimed; the first one behind an open breaker is its probe.
    pub(crate) fn claimed(&self, job: &str) {
        if let Some(refused) = &mut *self.refused() {
            refused.probe.get_or_insert_with(|| job.to_owned());
        }
    }

    /// Judges how the attempt of `job` ended.
    pub(crate) fn ended(&self, job: &str, outcome: &Outcome) {
        let mut refused = self.refused();
        let is_probe =
            matches!(&*refused, Some(Refused { probe: Some(probe), .. }) if probe == job);
        match outcome {
            Outcome::Park { reason: ParkReason::Provider, .. } if is_probe || refused.is_none() => {
                if !is_probe {
                    tracing::error!(
                        "a provider refuses this worker's account or set-up: one job each {:?} \
                         probes it, the others wait",
                        self.interval
                    );
                }
                *refused = Some(Refused { again: Instant::now() + self.interval, probe: None });
            }
            Outcome::Done { .. } if is_probe => {
                tracing::info!("the provider accepts this worker again");
                *refused = None;
            }
            // It ended before anybody could tell: the next job probes at once.
            _ if is_probe => *refused = Some(Refused { again: Instant::now(), probe: None }),
            _ => return,
        }
        drop(refused);
        self.changed.notify_waiters();
    }

    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use stillcast_enqueue::Artifact;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn refusal() -> Outcome {
        Outcome::Park { reason: ParkReason::Provider, wake: INTERVAL, error: None }
    }

    fn done() -> Outcome {
        let artifact = Artifact {
            url: String::new(),
            key: String::new(),
            path: None,
            bytes: 0,
            content_type: String::new(),
            duration_s: 0.0,
            sha256: String::new(),
        };
        Outcome::Done { artifact: Box::new(artifact) }
    }

    fn is_open(breaker: &Breaker) -> bool {
        breaker.may_claim().now_or_never().is_none()
    }

    #[tokio::test(start_paused = true)]
    async fn one_job_probes_each_interval_until_one_is_delivered() {
        let breaker = Breaker::new(INTERVAL);
        assert!(!is_open(&breaker));
        breaker.claimed("a");
        breaker.ended("a", &refusal());
        for probe in ["b", "c"] {
            let began = Instant::now();
            breaker.may_claim().await;
            assert_eq!(began.elapsed(), INTERVAL);
            assert!(!is_open(&breaker), "a claim that found nothing used nothing up");
            breaker.claimed(probe);
            assert!(is_open(&breaker));
            breaker.ended(probe, &refusal());
            assert!(is_open(&breaker));
        }
        breaker.may_claim().await;
        breaker.claimed("d");
        breaker.ended("d", &done());
        assert!(!is_open(&breaker));
    }

    #[tokio::test(start_paused = true)]
    async fn jobs_claimed_before_neither_close_it_nor_prolong_it() {
        let breaker = Breaker::new(INTERVAL);
        breaker.ended("a", &refusal());
        tokio::time::advance(INTERVAL / 2).await;
        breaker.ended("b", &refusal());
        breaker.ended("c", &done());
        assert!(is_open(&breaker));
        tokio::time::advance(INTERVAL / 2).await;
        assert!(!is_open(&breaker));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_proves_nothing_makes_way_for_the_next_at_once() {
        let breaker = Breaker::new(INTERVAL);
        breaker.ended("a", &refusal());
        breaker.may_claim().await;
        breaker.claimed("b");
        let (waited, ()) = tokio::join!(breaker.may_claim(), async {
            breaker.ended("b", &Outcome::Release);
        });
        assert_eq!(waited, ());
        breaker.claimed("c");
        assert!(is_open(&breaker), "still one at a time");
    }
}
