//! What can go wrong with a child, by what the caller can do about it.

use std::io;
use std::time::Duration;

/// Why a child could not run, or did not end well. `stderr` holds at most its last 64 KiB.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// The program is not on this machine.
    #[error("{program} was not found; {hint}")]
    NotFound {
        /// The program asked for.
        program: String,
        /// What to do, such as `install it with: apt-get install -y ffmpeg`.
        hint: String,
    },
    /// The program did not start though it may be there: rights, limits, a missing working folder,
    /// or no runtime that could watch over it.
    #[error("{program} did not start")]
    Spawn {
        /// The program asked for.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The deadline passed; the whole group was ended.
    #[error("{program} did not end within {after:?}{}", because(.stderr))]
    Timeout {
        /// The program.
        program: String,
        /// The time that it had.
        after: Duration,
        /// The end of what it said.
        stderr: String,
    },
    /// It ended by itself with a status other than 0.
    #[error("{program} ended with status {code}{}", because(.stderr))]
    Status {
        /// The program.
        program: String,
        /// Its exit status.
        code: i32,
        /// The end of what it said.
        stderr: String,
    },
    /// A signal ended it: somebody's kill, a resource limit, a crash.
    #[error("{program} was ended by signal {signal}{}", because(.stderr))]
    Signal {
        /// The program.
        program: String,
        /// The signal's number; 24 is the CPU limit, 25 the file size limit.
        signal: i32,
        /// The end of what it said.
        stderr: String,
    },
    /// It wrote more to stdout than the caller is ready to hold.
    #[error("{program} wrote more than {limit} bytes to stdout")]
    TooMuchOutput {
        /// The program.
        program: String,
        /// The bytes allowed.
        limit: usize,
    },
    /// A pipe to it or the wait for it failed.
    #[error("lost touch with {program}")]
    Io {
        /// The program.
        program: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

fn because(stderr: &str) -> String {
    let said = stderr.trim();
    if said.is_empty() { String::new() } else { format!(": {said}") }
}
