//! A queue's name becomes the names of its Redis keys, and nothing else knows them.
//!
//! All keys of a queue share the hash tag `{q:<name>}`, so that one script may touch them all.

use crate::{Identifier, InvalidField};

/// The fixed keys, in the order in which a script of the queue receives those of them that it names as
/// `KEYS`; the head of each says which these are, and a test compares the two.
pub const FIXED: [&str; 29] = [
    "ready",
    "solo",
    "solo_hold",
    "delayed",
    "parked",
    "leased",
    "done",
    "dead",
    "cancelled",
    "expired",
    "deadlines",
    "counts",
    "wake",
    "paused",
    "reap_at",
    "gap_at",
    "workers",
    "landed",
    "trash",
    "events",
    "cancels",
    "stall_at",
    "webhooks",
    "webhooks_off",
    "audit",
    "history_minutes",
    "history_quarters",
    "history_hours",
    "history_names",
];

/// The key names of one queue.
#[derive(Clone, Debug)]
pub struct Keys {
    prefix: String,
}

impl Keys {
    /// Checks the queue's name against the grammar of identifiers.
    pub fn new(queue_name: &str) -> Result<Self, InvalidField> {
        let name = Identifier::parse("QUEUE_NAME", queue_name)?;
        Ok(Self { prefix: format!("{{q:{name}}}:") })
    }

    /// What every key of the queue begins with; scripts build per-job keys from it.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A fixed key or channel, by one of the words in [`FIXED`].
    pub fn named(&self, word: &str) -> String {
        format!("{}{word}", self.prefix)
    }

    /// The job's hash: state, token, counters, times.
    pub fn job(&self, id: &str) -> String {
        format!("{}job:{id}", self.prefix)
    }

    /// The job's request, as its envelope.
    pub fn body(&self, id: &str) -> String {
        format!("{}body:{id}", self.prefix)
    }

    /// The words of the job, as far as they were said.
    pub fn transcript(&self, id: &str) -> String {
        format!("{}transcript:{id}", self.prefix)
    }

    /// What is told of the job's end, and how that went.
    pub fn webhook(&self, id: &str) -> String {
        format!("{}webhook:{id}", self.prefix)
    }

    /// What is wished of many jobs, and how far it is.
    pub fn bulk(&self, id: &str) -> String {
        format!("{}bulk:{id}", self.prefix)
    }

    /// The jobs that a bulk action has still to do.
    pub fn bulk_jobs(&self, id: &str) -> String {
        format!("{}bulk_jobs:{id}", self.prefix)
    }

    /// What is given away of a provider's account.
    pub fn limit(&self, account: &str) -> String {
        format!("{}limit:{account}", self.prefix)
    }

    /// The calls in flight of a provider's account, by when each has ended for certain.
    pub fn in_flight(&self, account: &str) -> String {
        format!("{}in_flight:{account}", self.prefix)
    }

    /// What a tenant has spent on this day, in days since the epoch.
    pub fn budget(&self, tenant: &str, day: u64) -> String {
        format!("{}budget:{tenant}:{day}", self.prefix)
    }

    /// The bulk actions that go on, by their begin.
    pub fn bulks(&self) -> String {
        self.named("bulks")
    }

    /// Those that have ended, by their end.
    pub fn bulks_ended(&self) -> String {
        self.named("bulks_ended")
    }

    /// What was told last of each alert.
    pub fn alerts(&self) -> String {
        self.named("alerts")
    }

    /// Which server watches for alerts.
    pub fn alerts_by(&self) -> String {
        self.named("alerts_by")
    }

    /// Where every change is announced as `<id>:<state>`; a hint, never the truth.
    pub fn events(&self) -> String {
        self.named("events")
    }
}
