//! Ends of attempts go in, one after the other; whether the breaker lets the next claim through comes
//! out.

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
    let provider = Some("openai".to_owned());
    let cached = tries == 0;
    let record = StageRecord { tries, cached, ..StageRecord::cached(StageName::Tts, provider) };
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
        extras: std::collections::BTreeMap::new(),
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
        assert_eq!(breaker.ended(probe, &refusal()), Some(Change::Refused));
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
    assert_eq!(breaker.ended("b", &spoken(0)), Some(Change::Unmet), "a copy has not met the voice");
    let began = Instant::now();
    probe(&breaker, "c").await;
    assert_eq!(began.elapsed(), Duration::ZERO, "nor did it use the interval up");
    assert_eq!(breaker.ended("c", &refusal_of_speech()), Some(Change::Refused));
    probe(&breaker, "d").await;
    assert_eq!(began.elapsed(), INTERVAL);
    assert_eq!(breaker.ended("d", &spoken(1)), Some(Change::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_nobody_meets_any_more_is_forgotten() {
    let breaker = Breaker::new(INTERVAL);
    breaker.ended("a", &refusal_of_speech());
    probe(&breaker, "b").await;
    assert_eq!(breaker.ended("b", &spoken(0)), Some(Change::Unmet));
    tokio::time::advance(INTERVAL).await;
    probe(&breaker, "c").await;
    assert_eq!(breaker.ended("c", &spoken(0)), Some(Change::Forgotten));
}
