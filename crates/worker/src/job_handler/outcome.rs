//! A failure of the pipeline goes in; what becomes of the job, and what is counted, comes out.

use std::time::Duration;

use pipeline::{ACCOUNT_LIMIT, BUDGET_SPENT, BUDGET_UNKNOWN, Failed, FailureClass, OtherJob};
use queue::{Outcome, ParkReason};
use stillcast_enqueue::{StageName, StageRecord};
use telemetry::{Metrics, StageOutcome};

/// A job that waits for others looks again by itself after so long, in case nobody wakes it.
const FLIGHT_WAIT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(1));
/// Jobs that were told the same wait come back spread over this time.
const SPREAD: Duration = Duration::from_secs(5);

/// The class table of failures. A job that a provider's set-up refused waits for the probe.
pub(super) fn outcome_of(failed: &Failed, probe_interval: Duration) -> Outcome {
    let error = &failed.error;
    let report = match error.other_job.as_deref() {
        Some(OtherJob::Flights(flights)) => return wait_for(flights.clone()),
        Some(OtherJob::Failed(report)) => report.clone(),
        None => error.report(),
    };
    if let Some(wake) = error.park {
        // Who keeps limits and budgets has spread the waits.
        let (reason, wake) = match error.code {
            BUDGET_SPENT | BUDGET_UNKNOWN => (ParkReason::Budget, wake),
            ACCOUNT_LIMIT => (ParkReason::Rate, wake),
            _ => (ParkReason::Rate, spread(wake)),
        };
        return Outcome::Park { reason, wake, error: Some(report) };
    }
    match error.failure {
        FailureClass::Transient { retry_after } => {
            Outcome::Retry { after: retry_after.map(spread), error: report }
        }
        FailureClass::Permanent => Outcome::Dead { error: report },
        FailureClass::Misconfigured => {
            let reason = ParkReason::Provider;
            Outcome::Park { reason, wake: probe_interval, error: Some(report) }
        }
        FailureClass::Unequipped => {
            let reason = ParkReason::Unequipped;
            Outcome::Park { reason, wake: spread(probe_interval), error: Some(report) }
        }
        FailureClass::Interrupted => Outcome::Release,
    }
}

/// The outcome's one word, and the code of what led to it.
pub(super) fn words(outcome: &Outcome) -> (&'static str, Option<&str>) {
    match outcome {
        Outcome::Done { .. } => ("done", None),
        Outcome::Retry { error, .. } => ("retry", Some(&error.code)),
        Outcome::Park { error, .. } => ("park", error.as_ref().map(|error| error.code.as_str())),
        Outcome::Dead { error } => ("dead", Some(&error.code)),
        Outcome::Crashed { error } => ("crash", Some(&error.code)),
        Outcome::Release => ("release", None),
    }
}

fn wait_for(flights: Vec<String>) -> Outcome {
    let (least, most) = FLIGHT_WAIT;
    let wake = least + most.saturating_sub(least).mul_f64(fastrand::f64());
    Outcome::Park { reason: ParkReason::Flight(flights), wake, error: None }
}

/// That wait, and up to five seconds more.
pub(super) fn spread(wait: Duration) -> Duration {
    wait + SPREAD.mul_f64(fastrand::f64())
}

/// Counts the stages of an attempt that delivered.
pub(super) fn count_done(metrics: &Metrics, stages: &[StageRecord], trace_id: Option<&str>) {
    for record in stages {
        let outcome = if record.cached { StageOutcome::cached } else { StageOutcome::ok };
        count_stage(metrics, record, outcome, trace_id);
    }
    metrics.attempt_ended("none", "none");
}

/// Counts the stages of an attempt that failed after those in `ended` had succeeded.
pub(super) fn count_failed(
    metrics: &Metrics,
    failed: &Failed,
    ended: &[StageName],
    trace_id: Option<&str>,
) {
    for record in &failed.stages {
        let outcome = if ended.contains(&record.stage) {
            StageOutcome::ok
        } else if record.stage == failed.error.stage {
            StageOutcome::failed
        } else {
            StageOutcome::cut
        };
        count_stage(metrics, record, outcome, trace_id);
    }
    metrics.attempt_ended(failed.error.stage.as_str(), class(failed.error.failure));
}

fn count_stage(
    metrics: &Metrics,
    record: &StageRecord,
    outcome: StageOutcome,
    trace_id: Option<&str>,
) {
    let times = (record.wait_s, record.run_s);
    metrics.stage_ended((record.stage.as_str(), outcome), times, record.tries, trace_id);
}

fn class(failure: FailureClass) -> &'static str {
    match failure {
        FailureClass::Transient { .. } => "transient",
        FailureClass::Permanent => "permanent",
        FailureClass::Misconfigured => "misconfigured",
        FailureClass::Unequipped => "unequipped",
        FailureClass::Interrupted => "interrupted",
    }
}

#[cfg(test)]
mod tests {
    use pipeline::StageError;
    use stillcast_enqueue::Cost;

    use super::*;

    const PROBE: Duration = Duration::from_secs(30);

    fn error(failure: FailureClass, park: Option<Duration>) -> Failed {
        let error = StageError::new(StageName::Tts, failure, "speech-silent", "no sound");
        let error = StageError { provider: Some("offline"), park, ..error };
        Failed { error, stages: Vec::new(), cost: Cost::default() }
    }

    #[test]
    fn a_job_that_waits_for_others_parks_and_what_failed_there_ends_it_too() {
        let keys = vec!["default/image/0".to_owned()];
        let of_other_job = |failed: Failed, other_job| Failed {
            error: failed.error.of_other_job(other_job),
            ..failed
        };
        let waits = error(FailureClass::Interrupted, None);
        let waits = of_other_job(waits, OtherJob::Flights(keys.clone()));
        let outcome = outcome_of(&waits, PROBE);
        let Outcome::Park { reason: ParkReason::Flight(flights), wake, error: None } = outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!(flights, keys);
        assert!((FLIGHT_WAIT.0..=FLIGHT_WAIT.1).contains(&wake));
        let theirs = error(FailureClass::Permanent, None).error.report();
        let ended = error(FailureClass::Permanent, None);
        let ended = of_other_job(ended, OtherJob::Failed(theirs.clone()));
        assert!(matches!(outcome_of(&ended, PROBE), Outcome::Dead { error } if error == theirs));
    }

    #[test]
    fn each_class_has_its_outcome() {
        let transient = |retry_after| FailureClass::Transient { retry_after };
        let of = |failure| outcome_of(&error(failure, None), PROBE);
        assert!(matches!(of(transient(None)), Outcome::Retry { after: None, .. }));
        assert!(matches!(of(FailureClass::Permanent), Outcome::Dead { .. }));
        assert!(matches!(of(FailureClass::Interrupted), Outcome::Release));
        assert!(matches!(
            of(FailureClass::Misconfigured),
            Outcome::Park { reason: ParkReason::Provider, wake: PROBE, error: Some(_) }
        ));
        assert!(matches!(
            of(FailureClass::Unequipped),
            Outcome::Park { reason: ParkReason::Unequipped, error: Some(_), .. }
        ));
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_and_spread() {
        let asked = Duration::from_secs(20);
        let in_time = |wait: Duration| wait >= asked && wait <= asked + SPREAD;
        let transient = FailureClass::Transient { retry_after: Some(asked) };
        let Outcome::Retry { after: Some(after), error: report } =
            outcome_of(&error(transient, None), PROBE)
        else {
            panic!("a transient failure is tried again");
        };
        assert!(in_time(after));
        assert_eq!((report.code.as_str(), report.stage), ("speech-silent", Some(StageName::Tts)));
        let Outcome::Park { reason: ParkReason::Rate, wake, .. } =
            outcome_of(&error(transient, Some(asked)), PROBE)
        else {
            panic!("a longer wait parks");
        };
        assert!(in_time(wake));
        let mut limited = error(FailureClass::Interrupted, Some(asked));
        limited.error.code = ACCOUNT_LIMIT;
        let Outcome::Park { reason: ParkReason::Rate, wake, error: Some(report) } =
            outcome_of(&limited, PROBE)
        else {
            panic!("an account's limit parks");
        };
        assert_eq!((wake, report.code.as_str()), (asked, ACCOUNT_LIMIT));
        let mut spent = error(FailureClass::Interrupted, Some(asked));
        spent.error.code = BUDGET_SPENT;
        let Outcome::Park { reason: ParkReason::Budget, wake, error: Some(report) } =
            outcome_of(&spent, PROBE)
        else {
            panic!("a budget parks");
        };
        assert_eq!((wake, report.code.as_str()), (asked, BUDGET_SPENT));
    }
}
