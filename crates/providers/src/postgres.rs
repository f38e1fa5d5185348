//! The name of a conversation goes in; what it holds comes out, read from Postgres.
//!
//! One pool a process: [`Database::open`] makes it, all else clones it. A connection is held for
//! one query, and none while a provider is awaited.

mod failure;
mod migration;
mod queries;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::{Conversation, Excerpt, ProviderError, SourceStore};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool, Postgres, Row};
use tokio::try_join;
use uuid::Uuid;

pub use migration::{MigrationError, migrate};
pub use queries::Queries;

const PROVIDER: &str = "postgres";
/// Connections beside one for each job: so many queries of one conversation run at once.
const SPARE: u32 = 2;
/// Longest wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Longest run of one query; the server ends it, whatever became of the client.
const STATEMENT: &str = "20s";
const IDLE: Duration = Duration::from_mins(5);
const LIFETIME: Duration = Duration::from_mins(30);

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL must be an address such as postgres://user:password@host/database")]
pub struct InvalidDatabase;

/// The process's one pool of connections.
#[derive(Clone, Debug)]
pub struct Database(PgPool);

/// Conversations in Postgres.
#[derive(Clone, Debug)]
pub struct PostgresSources {
    database: Database,
    queries: Queries,
}

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

    async fn rows(
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

impl PostgresSources {
    /// Conversations of `database`, as `queries` find them.
    pub fn new(database: Database, queries: Queries) -> Self {
        Self { database, queries }
    }

    /// The title, where the tables are ours; `None` when there is no such conversation.
    async fn title(&self, tenant: &str, id: Uuid) -> Result<Option<String>, ProviderError> {
        let Some(statement) = self.queries.conversation() else { return Ok(Some(String::new())) };
        let rows = self.database.rows(statement, tenant, id).await?;
        let title = |row: &PgRow| Ok(column::<Option<String>>(row, 0)?.unwrap_or_default());
        rows.first().map(title).transpose()
    }

    async fn excerpts(
        &self,
        statement: Option<&str>,
        tenant: &str,
        id: Uuid,
    ) -> Result<Vec<Option<Excerpt>>, ProviderError> {
        let Some(statement) = statement else { return Ok(Vec::new()) };
        let rows = self.database.rows(statement, tenant, id).await?;
        rows.iter().map(excerpt).collect()
    }
}

#[async_trait]
impl SourceStore for PostgresSources {
    fn provider(&self) -> &'static str {
        PROVIDER
    }

    async fn load(&self, tenant: &str, id: Uuid) -> Result<Conversation, ProviderError> {
        let (title, messages, sources) = try_join!(
            self.title(tenant, id),
            self.excerpts(Some(self.queries.messages()), tenant, id),
            self.excerpts(self.queries.sources(), tenant, id),
        )?;
        let rows = messages.len() + sources.len();
        let is_ours = self.queries.conversation().is_some();
        let title = title.filter(|_| is_ours || rows > 0).ok_or_else(|| failure::not_found(id))?;
        let messages: Vec<Excerpt> = messages.into_iter().flatten().collect();
        let sources: Vec<Excerpt> = sources.into_iter().flatten().collect();
        let empty_rows = rows - messages.len() - sources.len();
        Ok(Conversation { title, messages, sources, empty_rows })
    }
}

/// `None` for a row without a text.
fn excerpt(row: &PgRow) -> Result<Option<Excerpt>, ProviderError> {
    let label: Option<String> = column(row, 0)?;
    let text: Option<String> = column(row, 1)?;
    let characters: Option<i32> = column(row, 2)?;
    let Some(text) = text else { return Ok(None) };
    let characters = characters.and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    Ok(Some(Excerpt { label: label.unwrap_or_default(), text, characters }))
}

fn column<'row, T>(row: &'row PgRow, index: usize) -> Result<T, ProviderError>
where
    T: sqlx::Decode<'row, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(index).map_err(failure::of_query)
}

fn options(url: &str) -> Result<PgConnectOptions, InvalidDatabase> {
    // The driver would take any scheme.
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(InvalidDatabase);
    }
    PgConnectOptions::from_str(url).map_err(|_| InvalidDatabase)
}
