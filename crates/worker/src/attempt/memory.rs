//! A lease as the memory of its job: checkpoints and flights go to the queue's Redis under the
//! lease's token.

use async_trait::async_trait;
use pipeline::{Boarding, Checkpoints, Flights, Interrupted, Landing};
use queue::{FlightAnswer, Lease};
use stillcast_enqueue::{Cost, ErrorReport};

use super::reason;

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

    async fn words(&self) -> Result<Option<String>, Interrupted> {
        Ok(self.0.words().await)
    }

    fn say(&self, words: &str) {
        self.0.say(words);
    }

    fn book(&self, cost: Cost) {
        self.0.book(cost);
    }

    fn earlier_cost(&self) -> Cost {
        self.0.earlier_cost()
    }
}

#[async_trait]
impl Flights for LeaseMemory {
    async fn join(&self, key: &str) -> Result<Boarding, Interrupted> {
        let answer = self.0.join(key).await.map_err(interrupted)?;
        Ok(match answer {
            FlightAnswer::Owned => Boarding::Owned,
            FlightAnswer::Waiting { owner } => {
                tracing::debug!(job.owner = owner, "waits for another job");
                Boarding::Waiting
            }
            FlightAnswer::Unshared => Boarding::Unshared,
            FlightAnswer::Permanent(report) => Boarding::Permanent(read(&report)),
        })
    }

    async fn land(&self, key: &str, landing: &Landing) -> Result<(), Interrupted> {
        let landing = match landing {
            Landing::Stored => queue::Landing::Stored,
            Landing::Unshared => queue::Landing::Unshared,
            Landing::Permanent(report) => {
                let report = serde_json::to_string(report);
                let report = report.expect("a report is plain data and always serializes");
                queue::Landing::Permanent(report)
            }
        };
        self.0.land(key, &landing).await.map_err(interrupted)
    }
}

/// Another worker's report; one of a later version may read otherwise, and is permanent all the
/// same.
fn read(report: &str) -> ErrorReport {
    serde_json::from_str(report).unwrap_or_else(|_| ErrorReport {
        stage: None,
        provider: None,
        code: "failed-elsewhere".to_owned(),
        message: "another job has failed for good on the same input".to_owned(),
    })
}

fn interrupted(why: queue::Interrupted) -> Interrupted {
    Interrupted { reason: reason(why) }
}
