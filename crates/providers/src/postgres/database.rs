//! An address goes in; the process's one pool of connections comes out, and the rows that a
//! statement finds through it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipeline::ProviderError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgListener, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgPool, Postgres, Row};
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

/// Sets the same for one transaction, where a pooler refuses it at the start of a connection.
const LIMITS: &str = "set local statement_timeout = '20s'; \
                      set local idle_in_transaction_session_timeout = '20s'";

/// The process's one pool of connections.
#[derive(Clone, Debug)]
pub struct Database {
    /// Limits queries when it connects.
    direct: PgPool,
    /// Limits them in each transaction; opens no connection until a pooler was met.
    pooled: PgPool,
    is_pooled: Arc<AtomicBool>,
}

impl Database {
    /// A pool for a process of `tasks` jobs at once, which the server lists under `name`. Connects
    /// when the first query asks, so that a database that is down stops no worker.
    pub fn open(url: &str, name: &str, tasks: usize) -> Result<Self, InvalidDatabase> {
        let plain = options(url)?.application_name(name).disable_statement_logging();
        let direct = plain.clone().options([
            ("statement_timeout", STATEMENT),
            ("idle_in_transaction_session_timeout", STATEMENT),
        ]);
        // The server behind a pooler may be another one in each transaction.
        let pooled = plain.extra_float_digits(None).statement_cache_capacity(0);
        let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
        let pool = PgPoolOptions::new()
            .max_connections(tasks.saturating_add(SPARE))
            .acquire_timeout(ACQUIRE)
            .idle_timeout(IDLE)
            .max_lifetime(LIFETIME);
        Ok(Self {
            direct: pool.clone().connect_lazy_with(direct),
            pooled: pool.connect_lazy_with(pooled),
            is_pooled: Arc::default(),
        })
    }

    /// Open connections, at work or idle.
    pub fn connections(&self) -> u32 {
        self.direct.size() + self.pooled.size()
    }

    /// The server's version and the database's name.
    pub async fn probe(&self) -> Result<String, ProviderError> {
        let mut connection = self.connection().await?;
        let asked =
            sqlx::query("select current_setting('server_version'), current_database()::text");
        let row = asked.fetch_one(&mut *connection).await.map_err(failure::of_query)?;
        let (version, database): (String, String) = (column(&row, 0)?, column(&row, 1)?);
        let pooler = if self.is_pooled() {
            "; a pooler refuses limits at the start, so that each transaction sets its own"
        } else {
            ""
        };
        Ok(format!("PostgreSQL {version}, database {database}{pooler}"))
    }

    /// Closes every connection, once it is given back.
    pub async fn close(&self) {
        self.direct.close().await;
        self.pooled.close().await;
    }

    async fn connection(&self) -> Result<PoolConnection<Postgres>, ProviderError> {
        if !self.is_pooled() {
            match self.direct.acquire().await {
                Err(error) if failure::is_of_a_pooler(&error) => {
                    if !self.is_pooled.swap(true, Ordering::Relaxed) {
                        tracing::info!(
                            "a pooler refuses statement_timeout at the start of a connection: each transaction sets it"
                        );
                    }
                }
                acquired => return acquired.map_err(failure::of_connecting),
            }
        }
        self.pooled.acquire().await.map_err(failure::of_connecting)
    }

    fn is_pooled(&self) -> bool {
        self.is_pooled.load(Ordering::Relaxed)
    }

    /// What one of our own statements finds, which binds nothing.
    pub(super) async fn found(&self, statement: &'static str) -> Result<Vec<PgRow>, ProviderError> {
        let mut connection = self.connection().await?;
        let query = sqlx::query(statement).persistent(false);
        query.fetch_all(&mut *connection).await.map_err(failure::of_query)
    }

    /// What `statement` finds; it binds the tenant and the conversation.
    pub(super) async fn rows(
        &self,
        statement: &str,
        tenant: &str,
        conversation: Uuid,
    ) -> Result<Vec<PgRow>, ProviderError> {
        // Our own sentences around the operator's query; what callers send is bound.
        let query = sqlx::query(AssertSqlSafe(statement)).bind(tenant).bind(conversation);
        self.ask(query).await
    }

    /// What a statement finds, or the rows that it returns of those that it changes; one transaction.
    pub(super) async fn ask(
        &self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, ProviderError> {
        let mut connection = self.connection().await?;
        if !self.is_pooled() {
            return query.fetch_all(&mut *connection).await.map_err(failure::of_query);
        }
        let mut transaction = connection.begin().await.map_err(failure::of_query)?;
        sqlx::raw_sql(LIMITS).execute(&mut *transaction).await.map_err(failure::of_query)?;
        let rows = query.persistent(false).fetch_all(&mut *transaction).await;
        let rows = rows.map_err(failure::of_query)?;
        transaction.commit().await.map_err(failure::of_query)?;
        Ok(rows)
    }

    /// Hears what is said on `channel`; `None` behind a pooler, whose sessions are nobody's.
    pub(super) async fn listen(&self, channel: &str) -> Result<Option<PgListener>, ProviderError> {
        if self.is_pooled() {
            return Ok(None);
        }
        let mut listener =
            PgListener::connect_with(&self.direct).await.map_err(failure::of_connecting)?;
        listener.listen(channel).await.map_err(failure::of_query)?;
        Ok(Some(listener))
    }
}

/// The value of one column.
pub(super) fn column<'row, T>(row: &'row PgRow, index: usize) -> Result<T, ProviderError>
where
    T: sqlx::Decode<'row, Postgres> + sqlx::Type<Postgres>,
{
    row.try_get(index).map_err(failure::of_query)
}
