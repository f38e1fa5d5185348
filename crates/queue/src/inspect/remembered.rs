//! What was read of the history goes in; it comes out again as long as it is fresh.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::forecast::Expectations;

/// For so long what was read of the history is good enough.
const FRESH: Duration = Duration::from_secs(15);

/// What was read of the history last.
#[derive(Clone, Default)]
pub(super) struct Remembered(Arc<Mutex<Option<Reading>>>);

/// When, and what.
type Reading = (Instant, Arc<Expectations>);

impl Remembered {
    pub(super) fn fresh(&self) -> Option<Arc<Expectations>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, expectations) = known.as_ref()?;
        (at.elapsed() < FRESH).then(|| Arc::clone(expectations))
    }

    pub(super) fn keep(&self, expectations: &Arc<Expectations>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(expectations)));
    }
}
