//! A receiver goes in; a turn comes out, unless as many are taken as one receiver may have: one that
//! hangs must not hold up all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Attempts at once to one host of one tenant.
const MOST: usize = 16;

/// Who is being called, and how often.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<String, usize>>>);

/// One attempt under way; dropped, it is over.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    receiver: String,
}

impl Turns {
    /// A turn at `receiver`, if there is one left.
    pub(crate) fn take(&self, receiver: String) -> Option<Turn> {
        let mut taken = self.lock();
        let count = taken.entry(receiver.clone()).or_default();
        if *count >= MOST {
            return None;
        }
        *count += 1;
        drop(taken);
        Some(Turn { turns: self.clone(), receiver })
    }

    /// A count is right whatever panicked beside it.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self.turns.lock();
        if let Some(count) = taken.get_mut(&self.receiver) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.receiver);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_hangs_leaves_turns_to_others() {
        let turns = Turns::default();
        let taken: Vec<Turn> = (0..MOST).map_while(|_| turns.take("a".to_owned())).collect();
        assert_eq!(taken.len(), MOST);
        assert!(turns.take("a".to_owned()).is_none());
        assert!(turns.take("b".to_owned()).is_some());
        drop(taken);
        assert!(turns.take("a".to_owned()).is_some());
        assert!(turns.lock().is_empty(), "who has no turn is forgotten");
    }
}
