//! A database goes in, the same database with the tables of `migrations/` comes out.

use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::timeout;

use super::address::{InvalidDatabase, options};

/// Where applied migrations are recorded.
const TABLE: &str = "_sqlx_migrations";
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for another migration or a busy table.
const LOCK: &str = "60s";

/// Why a database was not migrated. Nothing of the failed migration stays.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Not an address.
    #[error(transparent)]
    Address(#[from] InvalidDatabase),
    /// Nobody answers there.
    #[error("the database of DATABASE_URL does not answer: {0}")]
    Away(String),
    /// A migration was refused.
    #[error(transparent)]
    Refused(#[from] MigrateError),
}

/// Applies what is missing, and says what that was. Safe to run twice, and at once.
pub async fn migrate(url: &str) -> Result<Vec<String>, MigrationError> {
    let away = |error: String| MigrationError::Away(error);
    let options = options(url)?
        .application_name("stillcast migrate")
        .options([("lock_timeout", LOCK)])
        .disable_statement_logging();
    let connecting = timeout(CONNECT, options.connect()).await;
    let connected = connecting.map_err(|_| away(format!("no answer within {CONNECT:?}")))?;
    let mut connection = connected.map_err(|error| away(error.to_string()))?;
    let applied = apply(&sqlx::migrate!("../../migrations"), &mut connection).await;
    // What was applied is committed, however the goodbye goes.
    let _ = timeout(CONNECT, connection.close()).await;
    applied
}

async fn apply(
    migrator: &Migrator,
    connection: &mut PgConnection,
) -> Result<Vec<String>, MigrationError> {
    // Held until the connection closes, and taken again by the migrator, which the server allows:
    // else another one could apply in between what we report as ours.
    connection.lock().await?;
    connection.ensure_migrations_table(TABLE).await?;
    let before = connection.list_applied_migrations(TABLE).await?;
    migrator.run(&mut *connection).await?;
    let is_new = |version: i64| before.iter().all(|applied| applied.version != version);
    let new = migrator.iter().filter(|migration| is_new(migration.version));
    Ok(new.map(|migration| format!("{} {}", migration.version, migration.description)).collect())
}
