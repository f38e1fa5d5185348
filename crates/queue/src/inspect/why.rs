//! A job goes in; why it does not run comes out.

use stillcast_enqueue::JobRecord;

use super::inspector::Inspector;
use crate::QueueError;
use crate::waiting::{WaitingReason, Why};

impl Inspector {
    /// Why the job `id` does not run, or that it does; `None` when there is no such job.
    pub async fn why(&self, id: &str) -> Result<Option<WaitingReason>, QueueError> {
        let call = self.scripts.why(id);
        let Why(reason) = call.invoke_async(&mut self.connection.clone()).await?;
        Ok(reason)
    }

    /// The same record, which says why the job waits, if it does.
    pub async fn explain(&self, record: JobRecord) -> Result<JobRecord, QueueError> {
        if record.state.is_terminal() {
            return Ok(record);
        }
        let waiting = self.why(&record.id).await?.and_then(|reason| reason.waiting());
        Ok(JobRecord { waiting, ..record })
    }
}
