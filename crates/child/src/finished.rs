//! How a child ended goes in; its account, or the typed error that it amounts to, comes out.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::ChildError;

/// The account of a child that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// User and system time that it and its reaped children used, in steps of 10 ms.
    pub cpu: Duration,
    /// The highest resident memory seen, in bytes; only of measured children that lived long
    /// enough to be looked at.
    pub peak_memory: Option<u64>,
    /// The last 64 KiB of its stderr.
    pub stderr: String,
}

impl Finished {
    /// Itself when the status is 0, else the error.
    pub(crate) fn judged(self, program: String) -> Result<Self, ChildError> {
        match (self.status.code(), self.status.signal()) {
            (Some(0), _) => Ok(self),
            (Some(code), _) => Err(ChildError::Status { program, code, stderr: self.stderr }),
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                Err(ChildError::Signal { program, signal, stderr: self.stderr })
            }
        }
    }
}
