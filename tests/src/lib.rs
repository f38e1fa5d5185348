//! What the tests of the whole share: a private Redis, Postgres and S3, a fleet of small workers,
//! their journal, a wire that can be cut, an address that moves, a cluster, a provider that sells, a
//! collector of spans, a Prometheus, a receiver of webhooks, and a measure of what comes out.

pub mod authority;
pub mod bucket;
pub mod cluster;
pub mod collector;
pub mod fleet;
pub mod foreign;
pub mod forwarder;
pub mod journal;
pub mod manifest;
pub mod many;
pub mod measure;
pub mod misdeeds;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod program;
pub mod prometheus;
pub mod proxy;
pub mod receiver;
pub mod script;
pub mod sentinels;
pub mod server;
pub mod shelf;
pub mod simulator;
pub mod soak;
pub mod wait;
