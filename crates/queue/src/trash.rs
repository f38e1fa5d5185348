//! Work folders that no job needs any more come out, and are forgotten once they are gone.

use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::{Identifier, JobId, State};

use crate::QueueError;
use crate::connection::{CALL_TIMEOUT, Endpoint};

/// The folder of one job's unfinished work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkFolder {
    /// Whose job it was.
    pub tenant: Identifier,
    /// The job.
    pub job: JobId,
}

/// The queue's `trash`. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct Trash {
    keys: Keys,
    connection: SharedConnection,
}

impl Trash {
    /// Over a connection of its own: deleting is never in anybody's way.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, QueueError> {
        let connection = endpoint.shared(CALL_TIMEOUT).await?;
        Ok(Self { keys: endpoint.keys().clone(), connection })
    }

    /// At most `limit` folders that may go now, by Redis' clock, the oldest first.
    pub async fn due(&self, limit: usize) -> Result<Vec<WorkFolder>, QueueError> {
        let mut connection = self.connection.clone();
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        let members: Vec<String> = redis::cmd("ZRANGE")
            .arg(self.keys.named("trash"))
            .arg("-inf")
            .arg(seconds * 1000 + micros / 1000)
            .arg("BYSCORE")
            .arg("LIMIT")
            .arg(0)
            .arg(limit)
            .query_async(&mut connection)
            .await?;
        members.iter().map(|member| WorkFolder::parse(member)).collect()
    }

    /// Whether the folder may go: a purged job that was enqueued again under its old identifier is
    /// at work in it.
    pub async fn is_idle(&self, folder: &WorkFolder) -> Result<bool, QueueError> {
        let mut command = redis::cmd("HGET");
        command.arg(self.keys.job(folder.job.as_str())).arg("state");
        let state: Option<String> = command.query_async(&mut self.connection.clone()).await?;
        Ok(state.is_none_or(|word| State::parse(&word).is_none_or(State::is_terminal)))
    }

    /// The folder is gone.
    pub async fn forget(&self, folder: &WorkFolder) -> Result<(), QueueError> {
        let mut command = redis::cmd("ZREM");
        command.arg(self.keys.named("trash")).arg(folder.member());
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }
}

impl WorkFolder {
    fn parse(member: &str) -> Result<Self, QueueError> {
        let unexpected = || QueueError::Protocol { script: "trash", answer: member.to_owned() };
        let (tenant, job) = member.split_once('/').ok_or_else(unexpected)?;
        Ok(Self { tenant: Identifier::parse("tenant", tenant)?, job: JobId::parse(job)? })
    }

    fn member(&self) -> String {
        format!("{}/{}", self.tenant, self.job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_tenant_and_job() {
        let folder = WorkFolder::parse("acme/job-1").unwrap();
        assert_eq!((folder.tenant.as_str(), folder.job.as_str()), ("acme", "job-1"));
        assert_eq!(folder.member(), "acme/job-1");
        for broken in ["acme", "../job-1", "acme/..", "a/b/c", ""] {
            assert!(WorkFolder::parse(broken).is_err(), "{broken}");
        }
    }
}
