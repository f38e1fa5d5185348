//! A job's end goes out, signed, to an address that a stranger has named; what was answered comes back.
//!
//! Signed as Standard Webhooks 1.0 says, and sent to public addresses alone: the name is resolved once,
//! each of its addresses is looked at, and the connection goes to one of those. Whatever else the
//! operator wants reached stands in `WEBHOOK_ALLOW`.

mod guard;
mod resolver;
mod sender;
mod signature;
#[cfg(test)]
mod tests;
mod turns;

pub use guard::Allowed;
pub use sender::{Answer, Message, Sender, SenderError, SenderOptions, Sent};
pub use signature::{InvalidKey, Secrets, SigningKey};
