//! A fault of the set-up that was paid for goes in; for a while the same comes out, for nothing.
//!
//! What a server sells in a form that nobody here can read, it sells in that form until somebody mends
//! it. So the next purchase waits, and each time three times as long: a day costs some 18 of them.
//! A start of the process asks at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::{FailureClass, ProviderError, Usage};
use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_hours(2);

/// What the last purchases have shown.
#[derive(Debug, Default)]
pub(crate) struct KnownFault(Mutex<Shown>);

#[derive(Debug, Default)]
struct Shown {
    known: Option<Known>,
    /// The code of the last one, where a second one in a row is no accident.
    suspected: Option<&'static str>,
}

#[derive(Debug)]
struct Known {
    error: ProviderError,
    wait: Duration,
    until: Instant,
}

impl KnownFault {
    /// The fault, as long as it stands.
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        match &self.shown().known {
            Some(Known { error, until, .. }) if Instant::now() < *until => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Learns from what was paid for.
    pub(crate) fn learn<T>(&self, bought: &Result<T, ProviderError>) {
        let mut shown = self.shown();
        match bought {
            Ok(_) => *shown = Shown::default(),
            Err(error) if shown.is_proven_by(error) => shown.stand(error),
            Err(error) if error.again == Some(FailureClass::Misconfigured) => {
                shown.suspected = Some(error.code);
            }
            Err(_) => {}
        }
    }

    /// Learns from an answer that was lost; one that came is yet to be read.
    pub(crate) fn learn_failure<T>(&self, bought: &Result<T, ProviderError>) {
        if bought.is_err() {
            self.learn(bought);
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shown {
    fn is_proven_by(&self, error: &ProviderError) -> bool {
        let is_repeated =
            self.suspected == Some(error.code) && error.again == Some(FailureClass::Misconfigured);
        error.failure == FailureClass::Misconfigured || is_repeated
    }

    fn stand(&mut self, error: &ProviderError) {
        let now = Instant::now();
        let wait = match &self.known {
            // Another call that was under way.
            Some(known) if now < known.until => return,
            Some(known) => (known.wait * 3).min(LONGEST),
            None => FIRST,
        };
        let failure = FailureClass::Misconfigured;
        let error = ProviderError { failure, ..error.clone() }.wasting(Usage::default());
        self.known = Some(Known { error, wait, until: now + wait });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_day_of_a_wrong_set_up_costs_few_purchases() {
        let (known, mut bought) = (KnownFault::default(), 0);
        let price = Usage::default().and_usd(1.0);
        let wrong = ProviderError::misconfigured("test", "speech-format", "no").wasting(price);
        for _ in 0..24 * 60 * 12 {
            match known.check() {
                Ok(()) => {
                    bought += 1;
                    known.learn::<()>(&Err(wrong.clone()));
                    // Those that were under way with it.
                    known.learn::<()>(&Err(wrong.clone()));
                }
                Err(error) => assert_eq!((error.code, error.wasted.usd()), ("speech-format", 0.0)),
            }
            advance(Duration::from_secs(5)).await;
        }
        assert!((10..=20).contains(&bought), "{bought}");
        advance(LONGEST).await;
        known.learn(&Ok(()));
        assert!(known.check().is_ok());
        known.learn::<()>(&Err(ProviderError::transient("test", "speech-cut", "once")));
        assert!(known.check().is_ok(), "an accident proves nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn one_such_answer_is_an_accident_and_two_in_a_row_are_none() {
        let known = KnownFault::default();
        let empty = || {
            let error = ProviderError::transient("test", "transcript-empty", "no words");
            Err::<(), _>(error.again(FailureClass::Misconfigured))
        };
        for _ in 0..3 {
            known.learn(&empty());
            assert!(known.check().is_ok());
            known.learn(&Ok(()));
        }
        known.learn(&empty());
        known.learn(&empty());
        let error = known.check().unwrap_err();
        assert_eq!((error.code, error.failure), ("transcript-empty", FailureClass::Misconfigured));
        advance(FIRST).await;
        assert!(known.check().is_ok());
    }
}
