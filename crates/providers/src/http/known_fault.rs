//! A fault of the set-up that was paid for goes in; for a while the same comes out, for nothing.
//!
//! What a server sells in a form that nobody here can read, it sells in that form until somebody mends
//! it. So the next purchase waits, and each time three times as long: a day costs some 18 of them.
//! A start of the process asks at once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pipeline::{FailureClass, ProviderError, Usage};
use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_hours(2);

/// What the last purchase has shown.
#[derive(Debug, Default)]
pub(crate) struct KnownFault(Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    error: ProviderError,
    wait: Duration,
    until: Instant,
}

impl KnownFault {
    /// The fault, as long as it stands.
    pub(crate) fn check(&self) -> Result<(), ProviderError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(Known { error, until, .. }) if Instant::now() < *until => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Learns from what was paid for.
    pub(crate) fn learn<T>(&self, bought: &Result<T, ProviderError>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match bought {
            Ok(_) => *known = None,
            Err(error) if error.failure == FailureClass::Misconfigured => {
                let now = Instant::now();
                let wait = match &*known {
                    // Another call that was under way.
                    Some(known) if now < known.until => return,
                    Some(known) => (known.wait * 3).min(LONGEST),
                    None => FIRST,
                };
                let error = error.clone().wasting(Usage::default());
                *known = Some(Known { error, wait, until: now + wait });
            }
            Err(_) => {}
        }
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
}
