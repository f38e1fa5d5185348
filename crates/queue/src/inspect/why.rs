//! A job goes in; why it does not run, and when it is likely to be done, comes out.

use stillcast_enqueue::{Eta, JobRecord};

use super::inspector::Inspector;
use crate::QueueError;
use crate::waiting::{WaitingReason, Why};

impl Inspector {
    /// Why the job `id` does not run, or that it does; `None` when there is no such job.
    pub async fn why(&self, id: &str) -> Result<Option<WaitingReason>, QueueError> {
        Ok(self.reason(id).await?.reason)
    }

    /// The same record, which says why the job waits, if it does, and when it is likely to be done.
    pub async fn explain(&self, record: JobRecord) -> Result<JobRecord, QueueError> {
        if record.state.is_terminal() {
            return Ok(record);
        }
        let Why { reason, at } = self.reason(&record.id).await?;
        let Some(reason) = reason else { return Ok(record) };
        let eta = self.eta(&record, &reason, at).await?;
        let eta_s = eta.as_ref().map(Eta::middle_s);
        Ok(JobRecord { waiting: reason.waiting(), eta, eta_s, ..record })
    }

    async fn reason(&self, id: &str) -> Result<Why, QueueError> {
        Ok(self.scripts.why(id).invoke_async(&mut self.connection.clone()).await?)
    }
}
