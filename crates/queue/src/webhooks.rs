//! The end of a job is told to who has asked for it: what the queue owes comes out, a [`Courier`] carries
//! it, and what became of it goes back.
//!
//! What is owed lies in the queue, so that any process may run a [`Notifier`], none leads, and a death
//! in the middle loses nothing. What signs and sends is not here: the queue speaks to Redis alone.

mod attempt;
mod delivery;
mod notifier;
mod schedule;

pub use self::attempt::{Attempt, Courier};
pub use self::delivery::Delivery;
pub(crate) use self::delivery::Due;
pub use self::notifier::Notifier;
