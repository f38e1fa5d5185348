//! A job's identifier goes in; each change of its record is printed until the job has ended.

use queue::{Inspector, Watch};
use stillcast_enqueue::{JobRecord, State};

use super::answer::unknown_job;
use crate::cli_error::CliError;
use crate::progress::Progress;
use crate::render::{self, Screen};

/// Prints every change of the job until it has ended; for programs, one record a line.
pub(super) async fn follow(inspector: &Inspector, id: &str, screen: &Screen) -> anyhow::Result<()> {
    let mut progress = Progress::new(screen);
    let mut last: Option<JobRecord> = None;
    let record = until_ended(inspector, id, |record| {
        progress.show(record);
        if screen.is_json() && last.as_ref() != Some(record) {
            // Printing fails only when stdout is gone; the job is watched to its end all the same.
            let _ = screen.answer(record, String::new);
            last = Some(record.clone());
        }
    });
    let record = record.await?;
    if !screen.is_json() {
        screen.answer(&record, || render::record_view(&record))?;
    }
    if record.state == State::Done {
        Ok(())
    } else {
        Err(CliError::failed(render::failure(&record)))
    }
}

/// Watches job `id` until it has ended, and shows `see` each record on the way.
pub(super) async fn until_ended(
    inspector: &Inspector,
    id: &str,
    see: impl FnMut(&JobRecord),
) -> anyhow::Result<JobRecord> {
    until(inspector, id, |record| record.state.is_terminal(), see).await
}

/// Watches job `id` until `is_over`, and shows `see` each record on the way.
pub(super) async fn until(
    inspector: &Inspector,
    id: &str,
    is_over: impl Fn(&JobRecord) -> bool,
    see: impl FnMut(&JobRecord),
) -> anyhow::Result<JobRecord> {
    let watch = Watch::start(inspector, id).await;
    watch.until(is_over, see).await?.ok_or_else(|| CliError::failed(unknown_job(id)))
}
