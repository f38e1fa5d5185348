//! A job's identifier goes in; its record comes out again and again, as often as something may have
//! changed.

use std::time::Duration;

use stillcast_enqueue::JobRecord;
use tokio::time::{Instant, timeout};

use crate::{Announcements, Inspector, QueueError};

/// How often to look when no announcement arrives: an announcement may be lost.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How long Redis may be away before watching fails.
const OUTAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// A look at one job that is repeated for as long as the caller wants.
pub struct Watch {
    inspector: Inspector,
    id: String,
    /// `None` once their connection has ended: from then on only the clock says when to look.
    announcements: Option<Announcements>,
    has_looked: bool,
    /// When Redis answered last.
    answered_at: Instant,
}

impl Watch {
    /// Begins to watch the job `id`, which need not exist. Never fails: without announcements it looks
    /// four times a second.
    pub async fn start(inspector: &Inspector, id: &str) -> Self {
        Self {
            inspector: inspector.clone(),
            id: id.to_owned(),
            announcements: inspector.announcements().await.ok(),
            has_looked: false,
            answered_at: Instant::now(),
        }
    }

    /// The job's record: at once the first time, then at each announced change, and after 250 ms
    /// without one, whether it has changed or not. `None` when there is no such job: it never was, or
    /// its record was purged.
    ///
    /// Waits for a Redis that is away, and fails when it has been away for 30 s. May be dropped and
    /// awaited again.
    pub async fn next(&mut self) -> Result<Option<JobRecord>, QueueError> {
        loop {
            if self.has_looked {
                self.wait_for_change().await;
            }
            self.has_looked = true;
            match self.inspector.record(&self.id).await {
                Ok(record) => {
                    self.answered_at = Instant::now();
                    return Ok(record);
                }
                Err(error) if self.answered_at.elapsed() > OUTAGE_TIMEOUT => return Err(error),
                Err(_) => {}
            }
        }
    }

    /// Watches until `is_over`, and shows `see` each record on the way, the last one included. Answers
    /// and fails as [`Watch::next`] does.
    pub async fn until(
        mut self,
        is_over: impl Fn(&JobRecord) -> bool,
        mut see: impl FnMut(&JobRecord),
    ) -> Result<Option<JobRecord>, QueueError> {
        loop {
            let Some(record) = self.next().await? else { return Ok(None) };
            see(&record);
            if is_over(&record) {
                return Ok(Some(record));
            }
        }
    }

    /// Returns at a change of the job, at the latest after the interval.
    async fn wait_for_change(&mut self) {
        let _ = timeout(POLL_INTERVAL, self.change()).await;
    }

    async fn change(&mut self) {
        while let Some(announcements) = &mut self.announcements {
            match announcements.next().await {
                Some(change) if change.id == self.id => return,
                Some(_) => {}
                None => self.announcements = None,
            }
        }
        std::future::pending::<()>().await;
    }
}
