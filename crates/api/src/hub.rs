//! What changes in the queue is heard once a process, however many wait for it.
//!
//! One task listens to the queue's events and reads each watched job that changed, in one call for
//! all of them; whoever waits holds no connection. An event is a hint that may be lost, so that all
//! watched jobs are read again each second. What is searched, the mirror, hears of every event here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use queue::{Announcements, Inspector};
use stillcast_enqueue::JobRecord;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::mirror::Mirror;

/// How often all watched jobs are read, whatever was heard.
const READ_EVERY: Duration = Duration::from_secs(1);
/// Records that one call reads.
const A_CALL: usize = 200;

/// What is known of a watched job.
#[derive(Clone, Debug, Default)]
pub(crate) enum Seen {
    /// Nothing yet.
    #[default]
    Unread,
    /// Its record.
    Record(Arc<JobRecord>),
    /// It has none, or none any more.
    Gone,
    /// The server ends, and looks no more.
    Closed,
}

/// The watched jobs of this process. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub(Arc<Shared>);

struct Shared {
    inspector: Inspector,
    mirror: Mirror,
    watched: Mutex<HashMap<String, watch::Sender<Seen>>>,
    /// Somebody new is here, whose job nobody has read.
    arrived: Notify,
    /// Counts every change of any job; none once the server ends.
    changes: Mutex<Option<watch::Sender<u64>>>,
}

/// Every change of any job, however many come at once, until the server ends.
pub(crate) struct Changes(watch::Receiver<u64>);

impl Changes {
    /// Returns once something has changed since the last time; `None` when nothing more is heard.
    pub(crate) async fn next(&mut self) -> Option<u64> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}

/// A job that somebody watches, until this is dropped.
pub(crate) struct Watched {
    hub: Hub,
    id: String,
    seen: watch::Receiver<Seen>,
}

impl Hub {
    pub(crate) fn new(inspector: Inspector, mirror: Mirror) -> Self {
        let (watched, arrived) = (Mutex::default(), Notify::new());
        let changes = Mutex::new(Some(watch::Sender::default()));
        Self(Arc::new(Shared { inspector, mirror, watched, arrived, changes }))
    }

    /// Begins to hear of every change; `None` when the server ends.
    pub(crate) fn changes(&self) -> Option<Changes> {
        self.lock_changes().as_ref().map(watch::Sender::subscribe).map(Changes)
    }

    /// Begins to watch the job `id`, which need not exist.
    pub(crate) fn watch(&self, id: &str) -> Watched {
        let mut seen = {
            let mut watched = self.watched();
            watched.entry(id.to_owned()).or_default().subscribe()
        };
        // What others have seen of it is new to this one.
        seen.mark_changed();
        self.0.arrived.notify_one();
        Watched { hub: self.clone(), id: id.to_owned(), seen }
    }

    /// Nobody sees anything any more.
    pub(crate) fn close(&self) {
        self.watched().clear();
        self.lock_changes().take();
    }

    /// How many jobs are watched.
    pub(crate) fn len(&self) -> usize {
        self.watched().len()
    }

    fn lock_changes(&self) -> MutexGuard<'_, Option<watch::Sender<u64>>> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_of_a_change(&self) {
        if let Some(changes) = &*self.lock_changes() {
            changes.send_modify(|count| *count += 1);
        }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<Seen>>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens and reads until it is dropped.
    pub(crate) async fn run(self) {
        let mut announcements = None;
        let mut ticks = interval(READ_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due: Vec<String> = tokio::select! {
                id = next(&mut announcements) => self.hear(id),
                () = self.0.arrived.notified() => self.unread(),
                _ = ticks.tick() => self.all(),
            };
            if announcements.is_none() {
                announcements = self.0.inspector.announcements().await.ok();
                self.0.mirror.set_listening(announcements.is_some());
                // Nobody has heard what happened before.
                self.tell_of_a_change();
            }
            self.read(&due).await;
        }
    }

    /// An outage shows nobody anything: the next look does.
    async fn read(&self, ids: &[String]) {
        for ids in ids.chunks(A_CALL) {
            let Ok(records) = self.0.inspector.records(ids).await else { return };
            let watched = self.watched();
            for (id, record) in ids.iter().zip(records) {
                if let Some(watched) = watched.get(id) {
                    watched.send_if_modified(|seen| seen.become_of(record));
                }
            }
        }
    }

    /// The job, if somebody watches it.
    fn hear(&self, id: Option<String>) -> Vec<String> {
        self.tell_of_a_change();
        if let Some(id) = &id {
            self.0.mirror.hear(id);
        }
        let watched = self.watched();
        id.into_iter().filter(|id| watched.contains_key(id)).collect()
    }

    fn unread(&self) -> Vec<String> {
        let watched = self.watched();
        let unread = watched.iter().filter(|(_, seen)| matches!(*seen.borrow(), Seen::Unread));
        unread.map(|(id, _)| id.clone()).collect()
    }

    fn all(&self) -> Vec<String> {
        self.watched().keys().cloned().collect()
    }
}

/// The job of the next event; waits for ever without a connection, which the next tick opens.
async fn next(announcements: &mut Option<Announcements>) -> Option<String> {
    let Some(open) = announcements else { return std::future::pending().await };
    let change = open.next().await;
    if change.is_none() {
        *announcements = None;
    }
    change.map(|change| change.id)
}

impl Seen {
    /// Takes over what was read; false when it was known.
    fn become_of(&mut self, record: Option<JobRecord>) -> bool {
        match (&*self, record) {
            (Self::Gone, None) => false,
            (Self::Record(known), Some(record)) if **known == record => false,
            (_, None) => {
                *self = Self::Gone;
                true
            }
            (_, Some(record)) => {
                *self = Self::Record(Arc::new(record));
                true
            }
        }
    }
}

impl Watched {
    /// What the job is now, once it was read: at once the first time, then at each change.
    pub(crate) async fn next(&mut self) -> Seen {
        loop {
            // The sender lives as long as somebody watches, which is us, unless all is closed.
            if self.seen.changed().await.is_err() {
                return Seen::Closed;
            }
            let seen = self.seen.borrow_and_update().clone();
            if !matches!(seen, Seen::Unread) {
                return seen;
            }
        }
    }

    /// The record once it is over, or what it is when `limit` has passed; `None` when there is none.
    pub(crate) async fn until(
        mut self,
        limit: Duration,
        is_over: impl Fn(&JobRecord) -> bool,
    ) -> Option<Arc<JobRecord>> {
        let mut last = None;
        let over = async {
            loop {
                last = match self.next().await {
                    Seen::Record(record) => Some(record),
                    Seen::Gone => None,
                    Seen::Closed | Seen::Unread => return,
                };
                if last.as_deref().is_none_or(&is_over) {
                    return;
                }
            }
        };
        // What was seen last is the answer.
        let _ = tokio::time::timeout(limit, over).await;
        last
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        // This one's own receiver is still counted.
        if watched.get(&self.id).is_some_and(|seen| seen.receiver_count() <= 1) {
            watched.remove(&self.id);
        }
    }
}
