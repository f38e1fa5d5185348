//! What has ended and which slots are free goes in; what Redis has answered comes out. One call, repeated
//! until it is answered.

use std::time::Duration;

use stillcast_enqueue::connection::{SharedConnection, is_unserved, pause};
use tokio::sync::OwnedSemaphorePermit;

use super::ended::Ended;
use super::shared::Shared;
use crate::clock::Moment;
use crate::scripts::lease_calls::Ending;
use crate::scripts::worker_calls::ClaimRequest;
use crate::{Claims, QueueError, Reported};

/// One call that reports, claims, or does both.
pub(crate) struct Exchange {
    /// What is to be reported.
    pub(crate) ended: Vec<Ended>,
    /// Slots that are free already.
    pub(crate) free: Vec<OwnedSemaphorePermit>,
    /// Slots for which it claims: those that are free, and those that the reports free.
    pub(crate) wanted: usize,
}

/// What the call has brought.
pub(crate) struct Answer {
    pub(crate) reported: Vec<Reported>,
    pub(crate) claims: Option<Claims>,
    /// When it was first sent: leases begin then.
    pub(crate) sent: Moment,
}

impl Exchange {
    /// Repeats the call, whole and by its nonce, until Redis answers: a claim on its way is always
    /// completed, since its jobs would wait for their leases to run out. Fails where Redis refuses a
    /// report.
    pub(crate) async fn send(self, shared: Shared) -> (Self, Result<Answer, QueueError>) {
        let answer = self.until_answered(&shared).await;
        (self, answer)
    }

    async fn until_answered(&self, shared: &Shared) -> Result<Answer, QueueError> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let mut connection = shared.link.connection.clone();
        let sent = Moment::now();
        for tries in 0.. {
            shared.health.turn();
            match self.try_once(shared, &mut connection, &nonce).await {
                Ok((reported, claims)) => {
                    shared.health.answer();
                    return Ok(Answer { reported, claims, sent });
                }
                // Whoever watches the connection tells of an outage, once.
                Err(QueueError::Redis(error)) if is_unserved(&error) => {}
                Err(error) if !self.ended.is_empty() && error.is_refusal() => return Err(error),
                Err(error) if tries == 0 => {
                    tracing::warn!(%error, "claim or report failed, retrying");
                }
                Err(error) => tracing::debug!(%error, "claim or report failed, retrying"),
            }
            tokio::time::sleep(pause(tries)).await;
        }
        unreachable!("a call is repeated until Redis answers")
    }

    async fn try_once(
        &self,
        shared: &Shared,
        connection: &mut SharedConnection,
        nonce: &str,
    ) -> Result<(Vec<Reported>, Option<Claims>), QueueError> {
        let Shared { options, link, leases, .. } = shared;
        let (scripts, limits) = (&link.scripts, &options.limits);
        let endings: Vec<Ending<'_>> = self.ended.iter().map(Ended::ending).collect();
        let held = leases.len().saturating_sub(endings.len());
        let (worker, lease_ttl): (_, Duration) = (options.worker.as_str(), options.lease_ttl);
        let request = ClaimRequest { worker, nonce, lease_ttl, held };
        Ok(match (endings.as_slice(), self.wanted) {
            ([], wanted) => (vec![], Some(scripts.claim_many(connection, &request, wanted).await?)),
            (endings, 0) => (scripts.report_all(connection, endings, limits).await?, None),
            (endings, wanted) => {
                let claim = (&request, wanted);
                let (reported, claims) =
                    scripts.exchange(connection, endings, limits, claim).await?;
                (reported, Some(claims))
            }
        })
    }
}
