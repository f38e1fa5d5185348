//! A database goes in; how it does comes out: who it is, which migrations it lacks, and how its queries of
//! a conversation are planned and how long they take. Nothing is changed, and nobody's rows are read.

use std::time::Duration;

use pipeline::ProviderError;
use sqlx::postgres::PgRow;
use tokio::time::Instant;
use uuid::Uuid;

use super::database::{Database, column};
use super::migration::names;
use super::queries::Queries;

/// How often each query is asked.
const LOOKUPS: usize = 20;
/// From this price on, in the planner's units, a table is read whole that should not be: some 8 MiB.
const DEAR: f64 = 1_000.0;
/// A conversation that is nobody's, so that no row of anybody is read.
const NOBODY: (&str, Uuid) = ("nobody", Uuid::nil());
/// The tables of the sample schema, as the migrations that are recorded beside them.
const RECORDED: &str = "select to_regclass('_sqlx_migrations') is not null";
const APPLIED: &str = "select version from _sqlx_migrations where success";

/// How a database does.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckUp {
    /// The server's version and the database's name.
    pub server: String,
    /// What `stillcast migrate` would apply; nothing where the tables are the operator's own.
    pub lacks: Vec<String>,
    /// The queries that a job asks; none of a database that lacks its tables.
    pub lookups: Vec<Lookup>,
}

/// A query, as it was asked for a conversation that is not there.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// `messages` or `sources`.
    pub name: &'static str,
    /// One of 20 took longer.
    pub p95: Duration,
    /// Large tables that are read whole for it.
    pub scans: Vec<String>,
}

impl Database {
    /// Asks who it is, what it lacks, and each query of `queries` a few times.
    pub async fn check_up(&self, queries: &Queries) -> Result<CheckUp, ProviderError> {
        let server = self.probe().await?;
        let is_ours = queries.conversation().is_some();
        let lacks = if is_ours { self.lacks().await? } else { Vec::new() };
        let mut lookups = Vec::new();
        if lacks.is_empty() {
            lookups.push(self.look_up("messages", queries.messages()).await?);
            if let Some(sources) = queries.sources() {
                lookups.push(self.look_up("sources", sources).await?);
            }
        }
        Ok(CheckUp { server, lacks, lookups })
    }

    async fn lacks(&self) -> Result<Vec<String>, ProviderError> {
        let recorded = self.found(RECORDED).await?;
        let is_recorded = recorded.first().map(|row| column::<bool>(row, 0)).transpose()?;
        let applied = match is_recorded {
            Some(true) => self.found(APPLIED).await?,
            _ => Vec::new(),
        };
        let applied: Vec<i64> =
            applied.iter().map(|row| column(row, 0)).collect::<Result<_, ProviderError>>()?;
        let is_missing = |(version, _): &(i64, String)| !applied.contains(version);
        Ok(names().into_iter().filter(is_missing).map(|(_, name)| name).collect())
    }

    async fn look_up(&self, name: &'static str, statement: &str) -> Result<Lookup, ProviderError> {
        let (tenant, conversation) = NOBODY;
        let plan = self.rows(&format!("explain {statement}"), tenant, conversation).await?;
        let plan: Vec<String> =
            plan.iter().map(|row: &PgRow| column(row, 0)).collect::<Result<_, ProviderError>>()?;
        let mut times = Vec::with_capacity(LOOKUPS);
        for _ in 0..LOOKUPS {
            let asked = Instant::now();
            self.rows(statement, tenant, conversation).await?;
            times.push(asked.elapsed());
        }
        times.sort_unstable();
        let p95 = times.get(LOOKUPS * 95 / 100 - 1).copied().unwrap_or_default();
        Ok(Lookup { name, p95, scans: plan.iter().filter_map(|line| dear_scan(line)).collect() })
    }
}

/// The table that this line of a plan reads whole, where that is dear.
fn dear_scan(line: &str) -> Option<String> {
    let (_, scan) = line.split_once("Seq Scan on ")?;
    let (table, costs) = scan.split_once("  (cost=")?;
    let total: f64 = costs.split_once("..")?.1.split(' ').next()?.parse().ok()?;
    (total >= DEAR).then(|| table.split(' ').next().unwrap_or(table).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_large_table_that_is_read_whole_is_told() {
        for (line, told) in [
            (
                "  ->  Seq Scan on messages m  (cost=0.00..4925.00 rows=5 width=40)",
                Some("messages"),
            ),
            ("  ->  Parallel Seq Scan on said  (cost=0.00..1000.00 rows=5 width=40)", Some("said")),
            ("  ->  Seq Scan on messages m  (cost=0.00..25.88 rows=6 width=64)", None),
            ("  ->  Index Scan using by_id on messages  (cost=0.15..8000.17 rows=1)", None),
            ("        Filter: (content = 'Seq Scan on x'::text)", None),
        ] {
            assert_eq!(dear_scan(line).as_deref(), told, "{line}");
        }
    }
}
