//! The HTTP API as its callers meet it: `stillcast serve` on a private Redis, asked over the wire.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod alerts;
mod audit;
mod bulk;
mod clients;
mod contract;
mod described;
mod events;
mod feeds;
mod files;
mod insight;
mod keys;
mod life;
mod limits;
mod live;
mod refusals;
mod scaling;
mod search;
mod support;
mod volume;
mod webhooks;
