//! The queue goes in, the mirror follows: what was heard is read at once, and everything is compared
//! each minute.

use std::time::Duration;

use chrono::Utc;
use queue::{Cursor, QueueError};
use stillcast_enqueue::State;
use tokio::time::{Instant, sleep, timeout_at};

use super::known::Mirror;

/// Time between two comparisons.
const COMPARE_EVERY: Duration = Duration::from_mins(1);
/// After a call that failed.
const BREATH: Duration = Duration::from_secs(1);
/// Announcements of one moment are read together: a running job makes many.
const GATHER: Duration = Duration::from_millis(20);
/// Jobs that one call reads.
const A_CALL: usize = 200;
/// Pauses of a comparison, as a multiple of the call before: the queue belongs to its workers.
const PACE: u32 = 4;

impl Mirror {
    /// Follows the queue until it is dropped.
    pub(crate) async fn follow(self) {
        let (mut due, mut met, mut is_told) = (Instant::now(), 0, false);
        loop {
            let begin = Utc::now();
            let is_due = Instant::now() >= due || self.known().heard.has_missed_something();
            match self.catch_up(is_due, &mut met).await {
                Ok(()) => {
                    self.known().is_as_of(begin, is_due);
                    if is_due {
                        due = Instant::now() + COMPARE_EVERY;
                    }
                    is_told = false;
                    self.wait(due).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!("searches stay as they are: the queue: {error}");
                    }
                    due = Instant::now();
                    sleep(BREATH).await;
                }
            }
        }
    }

    async fn catch_up(&self, is_due: bool, met: &mut u64) -> Result<(), QueueError> {
        self.read_heard().await?;
        if is_due {
            *met += 1;
            self.compare(*met).await?;
        }
        Ok(())
    }

    /// Until something was heard, a second has passed, or a comparison is due.
    async fn wait(&self, due: Instant) {
        let until = due.min(Instant::now() + BREATH);
        if timeout_at(until, self.0.stirred.notified()).await.is_ok() {
            sleep(GATHER).await;
        }
    }

    /// Reads every job that was heard of. What cannot be read now stays heard of.
    async fn read_heard(&self) -> Result<(), QueueError> {
        loop {
            // What changes while it is read is heard again.
            let ids = self.known().heard.take(A_CALL);
            if ids.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.read(&ids, None).await {
                self.known().heard.give_back(ids);
                return Err(error);
            }
        }
    }

    /// Takes over what the queue holds of these jobs.
    async fn read(&self, ids: &[String], met: Option<u64>) -> Result<(), QueueError> {
        for ids in ids.chunks(A_CALL) {
            let records = self.0.inspector.outlines(ids).await?;
            let mut known = self.known();
            for (id, record) in ids.iter().zip(records) {
                match record {
                    Some(record) => known.shelf.put(&record, met.unwrap_or(u64::MAX)),
                    None => known.shelf.remove(id),
                }
            }
        }
        Ok(())
    }

    /// Goes through every index of the queue, and reads each job that is not as it is known.
    async fn compare(&self, met: u64) -> Result<(), QueueError> {
        self.known().heard.hears_all();
        for state in State::ALL {
            let mut after: Option<Cursor> = None;
            loop {
                let began = Instant::now();
                let places = self.0.inspector.places(state, A_CALL, after.as_ref()).await?;
                let unlike = self.unlike(&places, state, met);
                self.read(&unlike, Some(met)).await?;
                self.read_heard().await?;
                let is_last = places.len() < A_CALL || self.is_below(state, places.last());
                after = places.into_iter().next_back();
                if is_last {
                    break;
                }
                sleep(self.pause(began.elapsed())).await;
            }
        }
        let unmet = self.known().shelf.unmet(met);
        self.read(&unmet, Some(met)).await?;
        let in_all = self.0.inspector.stats().await?.states.all();
        self.known().shelf.sweep(usize::try_from(in_all).unwrap_or(usize::MAX));
        Ok(())
    }

    /// The jobs of an index that may be another than they are known. One that has ended is as it was
    /// then; of others more may have changed than their place tells.
    fn unlike(&self, places: &[Cursor], state: State, met: u64) -> Vec<String> {
        let mut known = self.known();
        let mut unlike = Vec::new();
        for place in places {
            let facts = known.shelf.get(place.id());
            let is_known = state.is_terminal()
                && facts.is_some_and(|facts| {
                    facts.state == state && facts.finished_ms == Some(place.score())
                });
            if is_known {
                known.shelf.meet(place.id(), met);
            } else if !(state.is_terminal() && known.shelf.is_below(place.score())) {
                unlike.push(place.id().to_owned());
            }
        }
        unlike
    }

    /// Ended jobs come from the newest: behind one for which there is no room, there is none for any.
    fn is_below(&self, state: State, last: Option<&Cursor>) -> bool {
        let known = self.known();
        state.is_terminal() && last.is_some_and(|last| known.shelf.is_below(last.score()))
    }

    /// How long to leave the queue alone; shorter while nobody can search yet.
    fn pause(&self, took: Duration) -> Duration {
        if self.known().as_of.is_none() { took / 2 } else { took * PACE }
    }
}
