//! The name of a conversation goes in; what it holds comes out.

use async_trait::async_trait;
use pipeline::{Conversation, Excerpt, ProviderError, SourceStore};
use sqlx::postgres::PgRow;
use tokio::try_join;
use uuid::Uuid;

use super::database::{Database, column};
use super::queries::Queries;
use super::{PROVIDER, failure};

/// Conversations in Postgres.
#[derive(Clone, Debug)]
pub struct PostgresSources {
    database: Database,
    queries: Queries,
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
