//! What the branches of an attempt are at: calls under way, and other jobs waited for. A job parks
//! only when all it does is wait.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The branches of one attempt.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    busy: AtomicUsize,
    begun: AtomicU64,
    waits: Mutex<Vec<String>>,
}

/// Something under way; ends on drop.
#[must_use]
pub(crate) struct Busy<'activity>(&'activity AtomicUsize);

/// A flight waited for; ends on drop.
#[must_use]
pub(crate) struct Waiting<'activity> {
    activity: &'activity Activity,
    key: String,
}

impl Activity {
    /// Work begins.
    pub(crate) fn work(&self) -> Busy<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.look()
    }

    /// A branch looks whether its wait is over: that disturbs no other that waits.
    pub(crate) fn look(&self) -> Busy<'_> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        Busy(&self.busy)
    }

    /// A branch waits for the flight `key`.
    pub(crate) fn wait_for(&self, key: &str) -> Waiting<'_> {
        self.waits().push(key.to_owned());
        Waiting { activity: self, key: key.to_owned() }
    }

    /// A mark for [`Activity::is_still_since`].
    pub(crate) fn mark(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether no work has begun since `mark`, and none is under way.
    pub(crate) fn is_still_since(&self, mark: u64) -> bool {
        self.busy.load(Ordering::Relaxed) == 0 && self.mark() == mark
    }

    /// All flights waited for.
    pub(crate) fn awaited(&self) -> Vec<String> {
        self.waits().clone()
    }

    fn waits(&self) -> MutexGuard<'_, Vec<String>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waits = self.activity.waits();
        if let Some(at) = waits.iter().position(|key| *key == self.key) {
            waits.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_job_that_does_nothing_but_wait_is_still() {
        let activity = Activity::default();
        let waiting = activity.wait_for("a");
        let mark = activity.mark();
        assert!(activity.is_still_since(mark));
        let look = activity.look();
        assert!(!activity.is_still_since(mark), "another branch may be about to go on");
        drop(look);
        assert!(activity.is_still_since(mark), "it did not");
        drop(activity.work());
        assert!(!activity.is_still_since(mark), "something was done meanwhile");
        let second = activity.wait_for("b");
        assert_eq!(activity.awaited(), ["a", "b"]);
        drop((waiting, second));
        assert!(activity.awaited().is_empty());
    }
}
