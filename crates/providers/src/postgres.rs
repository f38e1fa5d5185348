//! The name of a conversation goes in; what it holds comes out, read from Postgres.
//!
//! One pool a process: [`Database::open`] makes it, all else clones it. A connection is held for
//! one query, and none while a provider is awaited. `migrate` makes the tables of the sample schema.

mod address;
mod checkup;
mod database;
mod failure;
mod migration;
mod queries;
mod sources;
#[cfg(test)]
mod tests;

pub use address::InvalidDatabase;
pub use checkup::{CheckUp, Lookup};
pub use database::Database;
pub use migration::{MigrationError, migrate};
pub use queries::{Queries, UnboundQuery};
pub use sources::PostgresSources;

/// The name in records.
const PROVIDER: &str = "postgres";
