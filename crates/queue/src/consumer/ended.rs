//! What the executor hands back to the claimer: how an attempt has ended, and the slot that it filled.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::scripts::lease_calls::Ending;
use crate::{Outcome, ParkReason, Report, Reported};

/// An attempt that has ended, not reported yet.
pub(crate) struct Ended {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) report: Arc<Report>,
    /// The delay of a retry that names none.
    pub(crate) backoff: Duration,
    pub(crate) slot: OwnedSemaphorePermit,
    pub(crate) answer: oneshot::Sender<Answered>,
}

/// What became of it.
pub(crate) enum Answered {
    /// Redis has answered; the slot comes back where the attempt goes on.
    Reported(Reported, Option<OwnedSemaphorePermit>),
    /// Nobody has reported it: its executor does.
    Alone(OwnedSemaphorePermit),
}

impl Ended {
    /// As the script takes it.
    pub(crate) fn ending(&self) -> Ending<'_> {
        let Self { id, token, report, backoff, .. } = self;
        Ending { id, token, report, backoff: *backoff }
    }

    /// Whether its slot is free once it is reported, whatever Redis answers.
    pub(crate) fn frees_its_slot(&self) -> bool {
        !matches!(&self.report.outcome, Outcome::Park { reason: ParkReason::Flight(_), .. })
    }

    /// Leaves the report to its executor.
    pub(crate) fn alone(self) {
        // An attempt whose task is gone has nothing more to report.
        let _ = self.answer.send(Answered::Alone(self.slot));
    }

    /// Tells the executor what Redis said. Where the lease has ended its slot comes out.
    pub(crate) fn reported(self, reported: Reported) -> Option<OwnedSemaphorePermit> {
        let (back, free) = match reported {
            Reported::GoOn => (Some(self.slot), None),
            Reported::Accepted(_) | Reported::Stale => (None, Some(self.slot)),
        };
        // As above: then the slot is dropped, and so free.
        let _ = self.answer.send(Answered::Reported(reported, back));
        free
    }
}
