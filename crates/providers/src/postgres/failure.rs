//! An error of the driver goes in; what it means for the job comes out. Words of the server are
//! repeated only where they speak of the schema: elsewhere they may quote a row.

use std::time::Duration;

use pipeline::{FailureClass, ProviderError};
use sqlx::Error;
use uuid::Uuid;

use super::PROVIDER;

/// How long a job waits for a database that is away; above the stage's back-off, so that it waits
/// parked, without a slot and without using an attempt.
const AWAY: Duration = Duration::from_secs(10);

/// No conversation of this tenant.
pub(super) fn not_found(id: Uuid) -> ProviderError {
    let message = format!("the tenant has no conversation {id}");
    ProviderError::permanent(PROVIDER, "conversation-not-found", message)
}

/// No connection was to be had.
pub(super) fn of_connecting(error: Error) -> ProviderError {
    let failed = of_query(error);
    match failed.failure {
        FailureClass::Transient { .. } => {
            let failure = FailureClass::Transient { retry_after: Some(AWAY) };
            let message = format!("the database cannot be reached; {}", failed.message);
            ProviderError { failure, code: "database-away", message, ..failed }
        }
        _ => failed,
    }
}

/// Whether a pooler such as `PgBouncer` refuses what we ask for at the start of a connection.
pub(super) fn is_of_a_pooler(error: &Error) -> bool {
    let Error::Database(error) = error else { return false };
    let is_protocol = error.code().is_none_or(|code| code == "08P01" || code == "42704");
    let said = error.message();
    is_protocol && (said.contains("startup parameter") || said.contains("statement_timeout"))
}

/// A query failed.
pub(super) fn of_query(error: Error) -> ProviderError {
    match error {
        Error::Database(error) => {
            of_server(error.code().as_deref().unwrap_or_default(), error.message())
        }
        Error::Io(error) => transient("database-failed", format!("connection: {error}")),
        Error::PoolTimedOut => {
            transient("database-failed", "no connection in time: it is down, or all are taken")
        }
        Error::PoolClosed | Error::WorkerCrashed | Error::Protocol(_) => {
            transient("database-failed", "the connection broke")
        }
        Error::Tls(error) => misconfigured(format!("TLS: {error}; see sslmode in DATABASE_URL")),
        Error::Configuration(_) => misconfigured("DATABASE_URL cannot be used"),
        Error::Decode(_) | Error::ColumnDecode { .. } => broken_row("is not valid UTF-8"),
        other => misconfigured(format!("the driver refused: {}", kind(&other))),
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn of_server(code: &str, message: &str) -> ProviderError {
    match code.get(..2).unwrap_or_default() {
        "28" | "3D" | "3F" | "42" => misconfigured(format!(
            "{message} (SQLSTATE {code}); check DATABASE_URL, `stillcast migrate`, MESSAGES_QUERY \
             and SOURCES_QUERY"
        )),
        "22" => broken_row(&format!("cannot be read (SQLSTATE {code})")),
        "08" | "53" | "57" => transient("database-failed", format!("{message} (SQLSTATE {code})")),
        _ => transient("database-failed", format!("SQLSTATE {code}")),
    }
}

fn transient(code: &'static str, message: impl Into<String>) -> ProviderError {
    ProviderError::transient(PROVIDER, code, message)
}

fn misconfigured(message: impl Into<String>) -> ProviderError {
    ProviderError::misconfigured(PROVIDER, "database-refused", message)
}

fn broken_row(what: &str) -> ProviderError {
    let message = format!("a row of the conversation {what}; mend it in the database");
    ProviderError::permanent(PROVIDER, "row-broken", message)
}

/// An error's kind without its words.
fn kind(error: &Error) -> String {
    let shown = format!("{error:?}");
    shown.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}
