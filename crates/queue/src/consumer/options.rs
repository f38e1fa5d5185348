//! How to consume: all that a worker decides of its end of the queue.

use std::sync::Arc;
use std::time::Duration;

use stillcast_enqueue::Envelope;

use crate::connection::Endpoint;
use crate::event::Observer;
use crate::history::Tally;
use crate::limits::Limits;

/// How long an attempt may last, by what the request asks for.
pub type AttemptBudget = Arc<dyn Fn(&Envelope) -> Duration + Send + Sync>;

/// How to consume.
#[derive(Clone)]
pub struct ConsumerOptions {
    /// Which queue on which Redis.
    pub endpoint: Endpoint,
    /// Names this process start; never reused.
    pub worker: String,
    /// The lease, L. Every other time of the queue derives from it.
    pub lease_ttl: Duration,
    /// Jobs at once.
    pub slots: usize,
    /// How long running attempts may go on after the first signal.
    pub drain_timeout: Duration,
    /// Longest attempt.
    pub attempt_budget: AttemptBudget,
    /// First and longest back-off between two attempts of a job.
    pub backoff: (Duration, Duration),
    /// When a job without progress is dead, and how long records live.
    pub limits: Limits,
    /// End once nothing is left to do.
    pub until_empty: bool,
    /// What is counted for the queue's history; whoever works adds to it.
    pub tally: Tally,
    /// Hears what happens.
    pub observer: Arc<dyn Observer>,
}
