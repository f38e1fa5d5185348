//! Work folders that no job needs any more come out, and are forgotten once they are gone.

use std::time::Duration;

use stillcast_enqueue::connection::SharedConnection;
use stillcast_enqueue::keys::Keys;
use stillcast_enqueue::{Identifier, JobId, State};

use crate::QueueError;
use crate::connection::{CALL_TIMEOUT, Endpoint};

/// The folder of one job's unfinished work.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

    /// At most `limit` entries whose time has come by Redis' clock, the oldest first. What is no folder
    /// of ours is among them: whoever is handed it has to put it off, or it is handed out for ever.
    pub async fn due(&self, limit: usize) -> Result<Vec<TrashEntry>, QueueError> {
        let now = self.now().await?;
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.keys.named("trash")).arg("-inf").arg(now).arg("BYSCORE");
        command.arg("LIMIT").arg(0).arg(limit);
        let members: Vec<Vec<u8>> = command.query_async(&mut self.connection.clone()).await?;
        Ok(members.into_iter().map(TrashEntry::new).collect())
    }

    async fn now(&self) -> Result<u64, QueueError> {
        let mut connection = self.connection.clone();
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        Ok(seconds * 1000 + micros / 1000)
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
    pub async fn forget(&self, entry: &TrashEntry) -> Result<(), QueueError> {
        let mut command = redis::cmd("ZREM");
        command.arg(self.keys.named("trash")).arg(&entry.member);
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }

    /// Not before so long from now. An entry that has gone meanwhile stays away, and one that is due
    /// later still keeps its time.
    pub async fn put_off(&self, entry: &TrashEntry, wait: Duration) -> Result<(), QueueError> {
        let due = self.now().await? + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX / 2);
        let mut command = redis::cmd("ZADD");
        command.arg(self.keys.named("trash")).arg("XX").arg("GT").arg(due).arg(&entry.member);
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }
}

/// One entry of the trash, as its bytes are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashEntry {
    member: Vec<u8>,
    /// The folder that it names; none when it names none of ours, since anybody may write to Redis.
    pub folder: Option<WorkFolder>,
}

impl TrashEntry {
    fn new(member: Vec<u8>) -> Self {
        let folder = std::str::from_utf8(&member).ok().and_then(WorkFolder::parse);
        Self { member, folder }
    }
}

impl WorkFolder {
    fn parse(member: &str) -> Option<Self> {
        let (tenant, job) = member.split_once('/')?;
        let tenant = Identifier::parse("tenant", tenant).ok()?;
        Some(Self { tenant, job: JobId::parse(job).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_tenant_and_job() {
        let folder = TrashEntry::new(b"acme/job-1".to_vec()).folder.unwrap();
        assert_eq!((folder.tenant.as_str(), folder.job.as_str()), ("acme", "job-1"));
        for foreign in [&b"acme"[..], b"../job-1", b"acme/..", b"a/b/c", b"", b"\xff/\xfe"] {
            assert_eq!(TrashEntry::new(foreign.to_vec()).folder, None, "{foreign:?}");
        }
    }
}
