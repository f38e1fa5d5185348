//! A job's end goes out, signed, to an address that a stranger has named; what was answered comes back.
//!
//! Signed as Standard Webhooks 1.0 says, and sent to public addresses alone: the name is resolved once,
//! each of its addresses is looked at, and the connection goes to one of those. Whatever else the
//! operator wants reached stands in `WEBHOOK_ALLOW`. What is owed, and when, the queue says.

mod courier;
mod deliver;
mod guard;
mod resolver;
mod sender;
mod signature;
#[cfg(test)]
mod tests;
mod turns;

pub use deliver::deliver;
pub use sender::{Answer, Message, Sender, SenderError, SenderOptions, Sent};
pub use signature::InvalidKey;
