//! The files of `deploy/` as those who wrote their formats read them, and as the programs themselves do:
//! each is whole, a broken copy is refused, and what they repeat of the code is what the code says.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod compose;
mod dist;
mod image;
mod kubernetes;
mod runbook;
mod scaling;
mod settings;
mod supervised;
mod tools;
mod units;
