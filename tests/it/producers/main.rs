//! Those who enqueue, against a real Redis: this crate's `Producer`, its example, and a plain client
//! in another language.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod batches;
mod forecasts;
mod foreign;
mod handed_on;
mod kept;
mod replicas;
mod rights;
