//! Attempts that a provider refused go in; when the next job may be claimed comes out.
//!
//! A job that parks for `provider` says that this worker's account or set-up is at fault, and that
//! every other job would meet the same. The breaker opens: nothing is claimed but one probe job
//! each interval, until one is let in where the last was refused. What runs already goes on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stillcast_enqueue::{ErrorReport, StageName, StageRecord};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::{Outcome, ParkReason, Report};

/// A refusal that no probe has met for so many intervals is over: its job has gone elsewhere.
const FORGOTTEN_AFTER: u32 = 2;

/// Closed, or open since a refusal.
pub(crate) struct Breaker {
    interval: Duration,
    refused: Mutex<Option<Refused>>,
    changed: Notify,
}

/// What the end of an attempt did to a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Closed,
}

/// An open breaker.
struct Refused {
    /// When the next probe may be claimed.
    again: Instant,
    /// The job that probes.
    probe: Option<String>,
    /// When a job was last refused.
    last: Instant,
    /// Who refused it, and at which stage.
    error: Option<ErrorReport>,
}

impl Refused {
    fn now(error: Option<&ErrorReport>, interval: Duration) -> Self {
        let now = Instant::now();
        Self { again: now + interval, probe: None, last: now, error: error.cloned() }
    }

    /// Whether a job that was delivered was let in where the last one was refused. A copy from the
    /// cache, and a job without that stage, have asked nobody.
    fn is_disproved_by(&self, stages: Option<&[StageRecord]>) -> bool {
        let (Some(error), Some(stages)) = (&self.error, stages) else { return true };
        let Some(stage) = error.stage else { return true };
        let asked = |record: &StageRecord| {
            record.stage == stage && record.provider == error.provider && record.tries > 0
        };
        stages.iter().any(asked)
    }
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
    pub(crate) fn ended(&self, job: &str, report: &Report) -> Option<Change> {
        let mut refused = self.refused();
        let change = match &mut *refused {
            None => {
                let error = refusal(report)?;
                *refused = Some(Refused::now(error, self.interval));
                self.tell_opened(error);
                Some(Change::Opened)
            }
            Some(open) if open.probe.as_deref() != Some(job) => return None,
            Some(open) if self.is_over(open, report) => {
                *refused = None;
                Some(Change::Closed)
            }
            Some(open) => {
                if let Some(error) = refusal(report) {
                    *open = Refused::now(error, self.interval);
                } else {
                    // It ended before anybody could tell: the next job probes at once.
                    (open.again, open.probe) = (Instant::now(), None);
                }
                None
            }
        };
        drop(refused);
        self.changed.notify_waiters();
        change
    }

    fn tell_opened(&self, error: Option<&ErrorReport>) {
        let stage = error.and_then(|error| error.stage).map(StageName::as_str);
        let code = error.map(|error| error.code.as_str());
        tracing::error!(
            stage,
            error.code = code,
            "a provider refuses this worker's account or set-up: one job each {:?} probes it, the \
             others wait",
            self.interval
        );
    }

    /// Whether the probe's end closes the breaker.
    fn is_over(&self, open: &Refused, report: &Report) -> bool {
        if !matches!(report.outcome, Outcome::Done { .. }) {
            return false;
        }
        if open.is_disproved_by(report.stages.as_deref()) {
            tracing::info!("the provider accepts this worker again");
            return true;
        }
        let is_forgotten = open.last.elapsed() >= self.interval * FORGOTTEN_AFTER;
        if is_forgotten {
            tracing::info!("no job has been refused for {:?}: claiming again", open.last.elapsed());
        }
        is_forgotten
    }

    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a job that a provider refused; `None` for every other end.
#[expect(clippy::option_option, reason = "a refusal may come without its error")]
fn refusal(report: &Report) -> Option<Option<&ErrorReport>> {
    match &report.outcome {
        Outcome::Park { reason: ParkReason::Provider, error, .. } => Some(error.as_ref()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use stillcast_enqueue::Artifact;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn refusal() -> Report {
        Outcome::Park { reason: ParkReason::Provider, wake: INTERVAL, error: None }.into()
    }

    /// The voice has refused.
    fn refusal_of_speech() -> Report {
        let error = ErrorReport {
            stage: Some(StageName::Tts),
            provider: Some("openai".to_owned()),
            code: "key-refused".to_owned(),
            message: String::new(),
        };
        let reason = ParkReason::Provider;
        Outcome::Park { reason, wake: INTERVAL, error: Some(error) }.into()
    }

    /// A delivery whose voice was asked so often.
    fn spoken(tries: u32) -> Report {
        let record = StageRecord {
            stage: StageName::Tts,
            wait_s: 0.0,
            run_s: 0.0,
            tries,
            cached: tries == 0,
            provider: Some("openai".to_owned()),
            resources: std::collections::BTreeMap::new(),
        };
        Report { stages: Some(vec![record]), ..done() }
    }

    fn done() -> Report {
        let artifact = Artifact {
            url: String::new(),
            key: String::new(),
            path: None,
            bytes: 0,
            content_type: String::new(),
            duration_s: 0.0,
            sha256: String::new(),
        };
        Outcome::Done { artifact: Box::new(artifact) }.into()
    }

    fn is_open(breaker: &Breaker) -> bool {
        breaker.may_claim().now_or_never().is_none()
    }

    #[tokio::test(start_paused = true)]
    async fn one_job_probes_each_interval_until_one_is_delivered() {
        let breaker = Breaker::new(INTERVAL);
        assert!(!is_open(&breaker));
        breaker.claimed("a");
        assert_eq!(breaker.ended("a", &refusal()), Some(Change::Opened));
        for probe in ["b", "c"] {
            let began = Instant::now();
            breaker.may_claim().await;
            assert_eq!(began.elapsed(), INTERVAL);
            assert!(!is_open(&breaker), "a claim that found nothing used nothing up");
            breaker.claimed(probe);
            assert!(is_open(&breaker));
            assert_eq!(breaker.ended(probe, &refusal()), None);
            assert!(is_open(&breaker));
        }
        breaker.may_claim().await;
        breaker.claimed("d");
        assert_eq!(breaker.ended("d", &done()), Some(Change::Closed));
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
            breaker.ended("b", &Outcome::Release.into());
        });
        assert_eq!(waited, ());
        breaker.claimed("c");
        assert!(is_open(&breaker), "still one at a time");
    }

    /// Claims `job` as the next probe.
    async fn probe(breaker: &Breaker, job: &str) {
        breaker.may_claim().await;
        breaker.claimed(job);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_probe_that_was_let_in_where_the_last_was_refused_closes_it() {
        let breaker = Breaker::new(INTERVAL);
        breaker.ended("a", &refusal_of_speech());
        probe(&breaker, "b").await;
        assert_eq!(breaker.ended("b", &spoken(0)), None, "a copy has not met the voice");
        let began = Instant::now();
        probe(&breaker, "c").await;
        assert_eq!(began.elapsed(), Duration::ZERO, "nor did it use the interval up");
        assert_eq!(breaker.ended("c", &refusal_of_speech()), None);
        probe(&breaker, "d").await;
        assert_eq!(began.elapsed(), INTERVAL);
        assert_eq!(breaker.ended("d", &spoken(1)), Some(Change::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_nobody_meets_any_more_is_forgotten() {
        let breaker = Breaker::new(INTERVAL);
        breaker.ended("a", &refusal_of_speech());
        probe(&breaker, "b").await;
        assert_eq!(breaker.ended("b", &spoken(0)), None);
        tokio::time::advance(INTERVAL).await;
        probe(&breaker, "c").await;
        assert_eq!(breaker.ended("c", &spoken(0)), Some(Change::Closed));
    }
}
