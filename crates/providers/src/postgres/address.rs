//! `DATABASE_URL` goes in; what the driver connects with comes out.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("DATABASE_URL must be an address such as postgres://user:password@host/database")]
pub struct InvalidDatabase;

pub(super) fn options(url: &str) -> Result<PgConnectOptions, InvalidDatabase> {
    // The driver would take any scheme.
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(InvalidDatabase);
    }
    PgConnectOptions::from_str(url).map_err(|_| InvalidDatabase)
}
