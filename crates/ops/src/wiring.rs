//! Addresses go in, the store and the database behind them come out: the one place that names
//! concrete providers.

#[cfg(feature = "http")]
mod http;
#[cfg(not(feature = "http"))]
#[path = "wiring/no_http.rs"]
mod http;

use std::sync::Arc;

use anyhow::Context;
#[cfg(feature = "postgres")]
use providers::postgres::{self, MigrationError};
use providers::store::{self, Credentials, StoreOptions};
use secrecy::ExposeSecret;
use settings::BucketConfig;

use crate::cli_error::CliError;

pub(crate) use self::http::{Server, log};
pub(crate) use providers::store::Store;

/// Opens the store at `STORAGE_URL`.
pub(crate) async fn store(url: &str, bucket: &BucketConfig) -> anyhow::Result<Arc<dyn Store>> {
    let opened = store::open(&store_options(url, bucket)).await;
    opened.map_err(|error| CliError::configuration(error.to_string())).context("STORAGE_URL")
}

fn store_options(url: &str, bucket: &BucketConfig) -> StoreOptions {
    let credentials = bucket.key.as_ref().map(|key| Credentials {
        access_key_id: key.id.clone(),
        secret_access_key: key.secret.expose_secret().to_owned(),
        session_token: key.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
    });
    StoreOptions {
        url: url.to_owned(),
        writer: "stillcast".to_owned(),
        public_base_url: None,
        endpoint: bucket.endpoint.clone(),
        region: bucket.region.clone(),
        credentials,
    }
}

/// Applies the migrations that are missing, and says what they were.
#[cfg(feature = "postgres")]
pub(crate) async fn migrate(url: &str) -> anyhow::Result<Vec<String>> {
    postgres::migrate(url).await.map_err(|error| match error {
        MigrationError::Address(_) => CliError::configuration(error.to_string()),
        MigrationError::Away(_) => CliError::missing(format!(
            "{error}; start it, install it with `apt-get install postgresql`, or correct the address"
        )),
        MigrationError::Refused(refused) => CliError::failed(refused.to_string()),
    })
}

/// A build without a database has none to change.
#[cfg(not(feature = "postgres"))]
pub(crate) fn migrate(_: &str) -> impl Future<Output = anyhow::Result<Vec<String>>> + use<> {
    std::future::ready(Err(CliError::left_out("postgres")).context("DATABASE_URL"))
}
