//! The one room in which child processes start: a [`Spec`] goes in, a [`Running`] child or its
//! [`Finished`] account comes out.
//!
//! FFmpeg, the private Redis and the embedded worker all pass here, so each of them has a process
//! group of its own, dies with its owner and with this process, is always reaped, and leaves the
//! end of its stderr in the error. Nothing is ever run by a shell.

mod error;
mod finished;
mod leader;
mod limits;
mod running;
mod spawner;
mod spec;
mod tail;
#[cfg(test)]
mod tests;
mod usage;

pub use error::ChildError;
pub use finished::Finished;
pub use limits::Limits;
pub use running::Running;
pub use spec::{Spec, Stream};
