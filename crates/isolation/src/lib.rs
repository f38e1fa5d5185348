//! One attempt in a process of its own: a lease goes in, and its report comes out, whatever becomes of
//! the process.
//!
//! [`Isolation`] is the worker's side. It starts the worker's own binary anew with hidden arguments, lends
//! it the lease, and keeps the lease itself: heartbeat, fences, cancel and drain stay where they are. The
//! process ([`Process`]) writes checkpoints, flights and progress under the lease's token, as every attempt
//! does, and answers its report; the worker reports it. A process that dies instead is a crash, told at once.
//!
//! Between the two go lines of JSON ([`words`](self)), by stdin and stdout; secrets go by the environment,
//! which the process inherits. So a suspect can neither take the worker's other jobs along, nor stop its
//! heartbeat, nor use up its memory:
//!
//! | what the process does | what becomes of it |
//! |---|---|
//! | aborts, or is killed | a crash |
//! | writes more memory than [`Bounds::memory`] | its allocation fails: it aborts |
//! | uses more CPU than [`Bounds::cpu`] | the kernel ends it by a signal |
//! | blocks every thread | it shows no pulse for [`Bounds::silence`]: it is killed |
//! | panics | the worker's attempt panics, and is counted as such |
//! | outlives its worker | cannot: the kernel kills it, and all that it has started |
//!
//! Where a machine's memory ends before the bound, the kernel kills the process before the worker: it has
//! offered itself first. [`share_of_memory`] gives a bound below what there is.

mod keeper;
mod memory;
mod process;
mod words;

pub use keeper::{Bounds, Isolation};
pub use memory::share_of_memory;
pub use process::{IsolationError, Process, Teller};
