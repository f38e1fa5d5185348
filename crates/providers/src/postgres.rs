//! The name of a conversation goes in; what it holds comes out, read from Postgres.
//!
//! One pool a process: [`Database::open`] makes it, all else clones it. A connection is held for
//! one query, and none while a provider is awaited. `migrate` makes the tables of the sample schema.
//!
//! The outbox is the other way round: jobs that applications have written go from here to the queue,
//! by [`Relay`]. It has a pool of its own, so that no load of conversations holds it up.

mod address;
mod checkup;
mod database;
mod failure;
mod migration;
mod outbox;
mod queries;
mod relay;
mod sources;
#[cfg(test)]
mod tests;

pub use address::InvalidDatabase;
pub use checkup::{CheckUp, Lookup};
pub use database::Database;
pub use migration::{MigrationError, migrate};
pub use outbox::{Outbox, OutboxCount};
pub use queries::{Queries, UnboundQuery};
pub use relay::{Relay, RelayOptions};
pub use sources::PostgresSources;

/// The name in records.
const PROVIDER: &str = "postgres";
