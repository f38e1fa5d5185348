//! What was read and what was heard go in; what is known of all jobs lies here, for whoever looks.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use queue::Inspector;
use tokio::sync::Notify;

use super::shelf::{Room, Shelf};
use crate::problem::{Code, Problem};

/// The newest 200,000 jobs, or what 160 MiB hold of them.
pub(crate) const ROOM: Room = Room { jobs: 200_000, bytes: 160 << 20 };
/// Jobs that may have been heard of and not read; with more, everything is compared.
const MOST_HEARD: usize = 20_000;

/// The mirror of one queue. Cheap to clone; all clones share it.
#[derive(Clone)]
pub(crate) struct Mirror(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) inspector: Inspector,
    known: Mutex<Known>,
    /// Something was heard, or the ear has opened.
    pub(super) stirred: Notify,
}

pub(super) struct Known {
    pub(super) shelf: Shelf,
    pub(super) heard: Heard,
    /// When it was last as the queue was; `None` until it has been filled.
    pub(super) as_of: Option<DateTime<Utc>>,
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

/// What was heard and not yet read.
#[derive(Debug, Default)]
pub(super) struct Heard {
    ids: HashSet<String>,
    /// Whether all has been heard since the last comparison began.
    all: bool,
    /// Whether anything is heard now.
    listens: bool,
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

    /// A job has changed.
    pub(crate) fn hear(&self, id: &str) {
        let mut known = self.known();
        if known.heard.ids.len() < MOST_HEARD {
            known.heard.ids.insert(id.to_owned());
        } else {
            known.heard.all = false;
        }
        drop(known);
        self.0.stirred.notify_one();
    }

    /// From now on all changes are heard, or none.
    pub(crate) fn set_listening(&self, listens: bool) {
        let mut known = self.known();
        known.heard.listens = listens;
        known.heard.all = false;
        drop(known);
        self.0.stirred.notify_one();
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    pub(super) fn take(&mut self, most: usize) -> Vec<String> {
        let taken: Vec<String> = self.ids.iter().take(most).cloned().collect();
        for id in &taken {
            self.ids.remove(id);
        }
        taken
    }

    pub(super) fn give_back(&mut self, ids: Vec<String>) {
        self.ids.extend(ids);
    }

    /// Whether something was missed, and no more is being missed.
    pub(super) fn has_missed_something(&self) -> bool {
        self.listens && !self.all
    }

    /// A comparison begins: whatever is missed from here on begins another.
    pub(super) fn hears_all(&mut self) {
        self.all = self.listens;
    }
}

impl Known {
    /// All that had happened by then is known, if it was compared, or nothing has been missed since.
    pub(super) fn is_as_of(&mut self, begin: DateTime<Utc>, compared: bool) {
        if compared || self.heard.all {
            self.as_of = Some(begin);
        }
    }
}
