//! An address goes in; the process's one pool of connections comes out, and the rows that a
//! statement finds through it.

use std::time::Duration;

use pipeline::ProviderError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool, Postgres, Row};
use uuid::Uuid;

use super::address::{InvalidDatabase, options};
use super::failure;

/// Connections beside one for each job: so many queries of one conversation run at once.
const SPARE: u32 = 2;
/// Longest wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Longest run of one query; the server ends it, whatever became of the client.
const STATEMENT: &str = "20s";
/// An idle connection is closed after this.
const IDLE: Duration = Duration::from_mins(5);
/// No connection grows older, so that a server that moved is found.
const LIFETIME: Duration = Duration::from_mins(30);

/// The process's one pool of connections.
#[derive(Clone, Debug)]
pub struct Database(PgPool);

impl Database {
    /// A pool for a process of `tasks` jobs at once, which the server lists under `name`. Connects
    /// when the first query asks, so that a database that is down stops no worker.
    pub fn open(url: &str, name: &str, tasks: usize) -> Result<Self, InvalidDatabase> {
        let options = options(url)?
            .application_name(name)
            .options([
                ("statement_timeout", STATEMENT),
                ("idle_in_transaction_session_timeout", STATEMENT),
            ])
            .disable_statement_logging();
        let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
        let pool = PgPoolOptions::new()
            .max_connections(tasks.saturating_add(SPARE))
            .acquire_timeout(ACQUIRE)
            .idle_timeout(IDLE)
            .max_lifetime(LIFETIME);
        Ok(Self(pool.connect_lazy_with(options)))
    }

    /// Open connections, at work or idle.
    pub fn connections(&self) -> u32 {
        self.0.size()
    }

    /// The server's version and the database's name.
    pub async fn probe(&self) -> Result<String, ProviderError> {
        let mut connection = self.connection().await?;
        let asked =
            sqlx::query("select current_setting('server_version'), current_database()::text");
        let row = asked.fetch_one(&mut *connection).await.map_err(failure::of_query)?;
        let (version, database): (String, String) = (column(&row, 0)?, column(&row, 1)?);
        Ok(format!("PostgreSQL {version}, database {database}"))
    }

    /// Closes every connection, once it is given back.
    pub async fn close(&self) {
        self.0.close().await;
    }

    async fn connection(&self) -> Result<PoolConnection<Postgres>, ProviderError> {
        self.0.acquire().await.map_err(failure::of_connecting)
    }

    /// What `statement` finds; it binds the tenant and the conversation.
    pub(super) async fn rows(
        &self,
        statement: &str,
        tenant: &str,
        conversation: Uuid,
    ) -> Result<Vec<PgRow>, ProviderError> {
        let mut connection = self.connection().await?;
        // Our own sentences around the operator's query; what callers send is bound.
        let query = sqlx::query(AssertSqlSafe(statement)).bind(tenant).bind(conversation);
        query.fetch_all(&mut *connection).await.map_err(failure::of_query)
    }
}

/// The value of one column.
pub(super) fn column<'row, T>(row: &'row PgRow, index: usize) -> Result<T, ProviderError>
where
    T: sqlx::Decode<'row, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(index).map_err(failure::of_query)
}
