//! A database goes in, the same database with the tables of `migrations/` comes out.

use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{ConnectOptions, Connection, PgConnection, SqlSafeStr};
use tokio::time::timeout;

use super::address::{InvalidDatabase, options};

/// Where applied migrations are recorded.
const TABLE: &str = "_sqlx_migrations";
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for another migration or a busy table.
const LOCK: &str = "60s";
/// With what a file begins that is run outside of a transaction.
const ALONE: &str = "-- no-transaction";
/// The files of `migrations/`: version, what it is about, text. By hand, since sqlx's macro for them
/// costs a second build of sqlx, for the compiler; a test compares the list with the folder.
const MIGRATIONS: [(i64, &str, &str); 2] = [
    (
        20_261_123_000_001,
        "content",
        include_str!("../../../../migrations/20261123000001_content.sql"),
    ),
    (
        20_261_201_000_001,
        "outbox",
        include_str!("../../../../migrations/20261201000001_outbox.sql"),
    ),
];

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
    let applied = apply(&migrator(), &mut connection).await;
    // What was applied is committed, however the goodbye goes.
    let _ = timeout(CONNECT, connection.close()).await;
    applied
}

/// Every migration there is: its version, and that with what it is about.
pub(super) fn names() -> Vec<(i64, String)> {
    let name = |(version, about, _)| (version, format!("{version} {about}"));
    MIGRATIONS.map(name).into()
}

fn migrator() -> Migrator {
    let migrations = MIGRATIONS.map(|(version, about, text)| {
        let is_alone = text.starts_with(ALONE);
        let (kind, text) = (MigrationType::Simple, text.into_sql_str());
        Migration::new(version, about.into(), kind, text, is_alone)
    });
    Migrator::with_migrations(migrations.into())
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[tokio::test]
    async fn every_file_of_the_folder_is_compiled_in_as_sqlx_reads_it() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let found = Migrator::new(folder.as_path()).await.unwrap();
        let seen = |migrator: &Migrator| {
            let facts = |one: &Migration| {
                let Migration { version, description, checksum, no_tx, .. } = one.clone();
                (version, description, checksum, no_tx)
            };
            migrator.iter().map(facts).collect::<Vec<_>>()
        };
        assert_eq!(seen(&migrator()), seen(&found));
    }
}
