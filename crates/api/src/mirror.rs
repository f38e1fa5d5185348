//! What is searched of every job, in the memory of this process: a filter goes in, jobs come out,
//! without a question to Redis.
//!
//! One task fills it at a measured pace and then reads each job that was heard to change. What is
//! heard is a hint that may be lost, so that all of it is compared with the queue each minute, and at
//! once after an outage. Writing to the queue costs nothing more for it.

mod follow;
mod shelf;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use queue::Inspector;
use tokio::sync::Notify;

use self::follow::Heard;
use self::shelf::Shelf;
pub(crate) use self::shelf::{Place, Room};
use crate::facts::Facts;
use crate::filter::Filter;
use crate::problem::{Code, Problem};

/// The newest 200,000 jobs, or what 160 MiB hold of them.
pub(crate) const ROOM: Room = Room { jobs: 200_000, bytes: 160 << 20 };
/// Jobs that a search looks at before it lets others go on.
const A_STEP: usize = 1_000;

/// The mirror of one queue. Cheap to clone; all clones share it.
#[derive(Clone)]
pub(crate) struct Mirror(Arc<Shared>);

struct Shared {
    inspector: Inspector,
    known: Mutex<Known>,
    /// Something was heard, or the ear has opened.
    stirred: Notify,
}

struct Known {
    shelf: Shelf,
    heard: Heard,
    /// When it was last as the queue was; `None` until it has been filled.
    as_of: Option<DateTime<Utc>>,
}

/// How true a search is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freshness {
    /// What has happened until then is in it.
    pub(crate) as_of: DateTime<Utc>,
    /// How many jobs are known.
    pub(crate) searched: usize,
    /// How many older ones are not, for want of room.
    pub(crate) left_out: usize,
}

/// What a search has found.
#[derive(Debug)]
pub(crate) struct Found {
    /// A page of them, the newest first.
    pub(crate) page: Vec<Place>,
    /// How many there are in all.
    pub(crate) matches: usize,
    pub(crate) freshness: Freshness,
}

impl Mirror {
    pub(crate) fn new(inspector: Inspector, room: Room) -> Self {
        let known = Known { shelf: Shelf::new(room), heard: Heard::default(), as_of: None };
        Self(Arc::new(Shared { inspector, known: Mutex::new(known), stirred: Notify::new() }))
    }

    /// How true a search would be; a problem until the mirror has been filled for the first time.
    pub(crate) fn freshness(&self) -> Result<Freshness, Problem> {
        let known = self.known();
        let as_of = known.as_of.ok_or_else(|| {
            let so_far = known.shelf.len();
            Problem::new(Code::SearchNotReady, format!("{so_far} jobs have been read so far"))
        })?;
        let (searched, left_out) = (known.shelf.len(), known.shelf.left_out());
        Ok(Freshness { as_of, searched, left_out })
    }

    /// How many jobs are known.
    pub(crate) fn len(&self) -> usize {
        self.known().shelf.len()
    }

    /// The first `limit` jobs behind `after` that a filter means, and how many it means in all.
    pub(crate) async fn find(
        &self,
        filter: &Filter,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Found, Problem> {
        let (mut page, mut matches) = (Vec::new(), 0);
        let freshness = self
            .visit(filter, |place, _| {
                matches += 1;
                if page.len() < limit && after.is_none_or(|after| place > after) {
                    page.push(place.clone());
                }
            })
            .await?;
        Ok(Found { page, matches, freshness })
    }

    /// Shows every job that a filter means, the newest first.
    pub(crate) async fn visit(
        &self,
        filter: &Filter,
        at: impl FnMut(&Place, &Facts),
    ) -> Result<Freshness, Problem> {
        self.visit_at(filter, Utc::now().timestamp_millis(), at).await
    }

    /// The same, where ages are those that jobs had at `now_ms` since 1970.
    pub(crate) async fn visit_at(
        &self,
        filter: &Filter,
        now_ms: i64,
        mut at: impl FnMut(&Place, &Facts),
    ) -> Result<Freshness, Problem> {
        let freshness = self.freshness()?;
        let mut look = |place: &Place, facts: &Facts| {
            if filter.matches(facts, now_ms) {
                at(place, facts);
            }
        };
        let mut last = None;
        loop {
            last = self.known().shelf.look(last.as_ref(), A_STEP, &mut look);
            if last.is_none() {
                return Ok(freshness);
            }
            tokio::task::yield_now().await;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
