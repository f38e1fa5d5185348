//! The operators' program against a private Redis: answers, exit codes, the embedded stack's edges.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod audit;
mod dead;
mod doctor;
mod embedded;
mod insight;
mod life;
mod purges;
mod support;
mod tls;
mod top;
mod usage;
mod warm;
