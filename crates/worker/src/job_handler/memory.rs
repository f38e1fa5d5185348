//! A lease as the memory of its job: checkpoints and flights go to the queue's Redis under the
//! lease's token.

use async_trait::async_trait;
use isolation::Teller;
use pipeline::{Checkpoints, FlightResult, Flights, Interrupted, JoinAnswer};
use queue::Lease;
use stillcast_enqueue::{Cost, ErrorReport};

use super::gate::reason;
use crate::notes::Note;

/// What the job behind a lease remembers.
pub(super) struct LeaseMemory {
    pub(super) lease: Lease,
    /// Who books beside the lease, where that lies in another process.
    pub(super) teller: Option<Teller>,
}

impl LeaseMemory {
    fn tell(&self, note: &Note) {
        if let Some(teller) = &self.teller {
            note.tell(teller);
        }
    }
}

#[async_trait]
impl Checkpoints for LeaseMemory {
    fn recall(&self, name: &str) -> Option<String> {
        self.lease.recall(name)
    }

    async fn remember(&self, name: &str, digest: &str) -> Result<(), Interrupted> {
        self.lease.checkpoint(&[(name, digest)]).await.map_err(interrupted)
    }

    fn remember_later(&self, name: &str, digest: &str) {
        self.lease.checkpoint_later(&[(name, digest)]);
    }

    async fn partial_transcript(&self) -> Result<Option<String>, Interrupted> {
        Ok(self.lease.partial_transcript().await)
    }

    fn save_partial_transcript(&self, words: &str) {
        self.lease.save_partial_transcript(words);
    }

    fn record_cost(&self, cost: Cost) {
        self.lease.record_cost(cost);
        self.tell(&Note::Cost(cost));
    }

    fn record_cut(&self, cost: Cost) {
        self.tell(&Note::Cut(cost));
    }

    fn earlier_cost(&self) -> Cost {
        self.lease.earlier_cost()
    }
}

#[async_trait]
impl Flights for LeaseMemory {
    async fn join(&self, key: &str) -> Result<JoinAnswer, Interrupted> {
        let answer = self.lease.join(key).await.map_err(interrupted)?;
        Ok(match answer {
            queue::JoinAnswer::Owned => JoinAnswer::Owned,
            queue::JoinAnswer::Waiting { owner } => {
                tracing::debug!(job.owner = owner, "waits for another job");
                JoinAnswer::Waiting
            }
            queue::JoinAnswer::Unshared => JoinAnswer::Unshared,
            queue::JoinAnswer::Permanent(report) => JoinAnswer::Permanent(read(&report)),
        })
    }

    async fn land(&self, key: &str, landing: &FlightResult) -> Result<(), Interrupted> {
        let landing = match landing {
            FlightResult::Stored => queue::FlightResult::Stored,
            FlightResult::Unshared => queue::FlightResult::Unshared,
            FlightResult::Permanent(report) => {
                let report = serde_json::to_string(report);
                let report = report.expect("a report is plain data and always serializes");
                queue::FlightResult::Permanent(report)
            }
        };
        self.lease.land(key, &landing).await.map_err(interrupted)
    }
}

/// Another worker's report; one of a later version may read otherwise, and is permanent all the
/// same.
fn read(report: &str) -> ErrorReport {
    let unread = "another job has failed for good on the same input";
    serde_json::from_str(report).unwrap_or_else(|_| ErrorReport::new("failed-elsewhere", unread))
}

fn interrupted(why: queue::Interrupted) -> Interrupted {
    Interrupted { reason: reason(why) }
}
