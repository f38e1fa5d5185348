//! A job's identifier goes in; its record comes out again and again until the job has ended.

use std::time::{Duration, Instant};

use queue::{Announcements, Inspector};
use stillcast_enqueue::JobRecord;

use crate::cli_error::CliError;

/// How often to look when no event says so.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// How long Redis may be away before watching ends.
const OUTAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Looks at job `id` until it has ended, and shows `see` each record on the way.
pub(crate) async fn until_ended(
    inspector: &Inspector,
    id: &str,
    see: impl FnMut(&JobRecord),
) -> anyhow::Result<JobRecord> {
    until(inspector, id, |record| record.state.is_terminal(), see).await
}

/// Looks at job `id` until `is_over`, and shows `see` each record on the way.
pub(crate) async fn until(
    inspector: &Inspector,
    id: &str,
    is_over: impl Fn(&JobRecord) -> bool,
    mut see: impl FnMut(&JobRecord),
) -> anyhow::Result<JobRecord> {
    let mut hints = Hints(inspector.announcements().await.ok());
    let mut seen = Instant::now();
    loop {
        match inspector.record(id).await {
            Ok(Some(record)) => {
                seen = Instant::now();
                see(&record);
                if is_over(&record) {
                    return Ok(record);
                }
            }
            Ok(None) => return Err(unknown(id)),
            Err(error) if seen.elapsed() > OUTAGE_TIMEOUT => return Err(error.into()),
            Err(_) => {}
        }
        hints.wait(id).await;
    }
}

/// The sentence for an identifier that names nothing.
pub(crate) fn unknown(id: &str) -> anyhow::Error {
    CliError::failed(format!("there is no job {id}: it never was, or its record was purged"))
}

/// Events of the queue, as long as they come.
struct Hints(Option<Announcements>);

impl Hints {
    /// Returns at a change of job `id`, or after a quarter of a second.
    async fn wait(&mut self, id: &str) {
        let _ = tokio::time::timeout(POLL_INTERVAL, self.change(id)).await;
    }

    async fn change(&mut self, id: &str) {
        while let Some(announcements) = &mut self.0 {
            match announcements.next().await {
                Some(change) if change.id == id => return,
                Some(_) => {}
                None => self.0 = None,
            }
        }
        std::future::pending::<()>().await;
    }
}
