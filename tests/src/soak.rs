//! What the soak and its workers agree on: the queue, and a job's number in its identifier.

/// Their queue.
pub const QUEUE: &str = "soak";
const PREFIX: &str = "soak-";

/// The identifier of a job.
#[must_use]
pub fn id_of(number: u32) -> String {
    format!("{PREFIX}{number:08}")
}

/// The number of a job; `None` of one that is not the soak's.
#[must_use]
pub fn number_of(id: &str) -> Option<u32> {
    id.strip_prefix(PREFIX)?.parse().ok()
}
