//! A lease as the memory of its job: checkpoints and flights go to the queue's Redis under the
//! lease's token.

use async_trait::async_trait;
use pipeline::{Checkpoints, FlightResult, Flights, Interrupted, JoinAnswer};
use queue::Lease;
use stillcast_enqueue::{Cost, ErrorReport};

use super::gate::reason;

/// What the job behind a lease remembers.
pub(super) struct LeaseMemory(pub(super) Lease);

#[async_trait]
impl Checkpoints for LeaseMemory {
    fn recall(&self, name: &str) -> Option<String> {
        self.0.recall(name)
    }

    async fn remember(&self, name: &str, digest: &str) -> Result<(), Interrupted> {
        self.0.checkpoint(&[(name, digest)]).await.map_err(interrupted)
    }

    async fn partial_transcript(&self) -> Result<Option<String>, Interrupted> {
        Ok(self.0.partial_transcript().await)
    }

    fn save_partial_transcript(&self, words: &str) {
        self.0.save_partial_transcript(words);
    }

    fn record_cost(&self, cost: Cost) {
        self.0.record_cost(cost);
    }

    fn earlier_cost(&self) -> Cost {
        self.0.earlier_cost()
    }
}

#[async_trait]
impl Flights for LeaseMemory {
    async fn join(&self, key: &str) -> Result<JoinAnswer, Interrupted> {
        let answer = self.0.join(key).await.map_err(interrupted)?;
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
        self.0.land(key, &landing).await.map_err(interrupted)
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
