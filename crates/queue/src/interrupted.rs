//! The reasons why an attempt must stop come out, as one type for leases and handlers.

/// Why an attempt must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// The lease may have passed to another worker.
    #[error("the lease was lost")]
    LeaseLost,
    /// A person ended the job.
    #[error("the job was cancelled")]
    Cancelled,
    /// The job's deadline has passed.
    #[error("the job's deadline has passed")]
    DeadlinePassed,
    /// The worker leaves.
    #[error("the worker is draining")]
    Draining,
}
