//! Addresses go in, the store and the database behind them come out: the one place that names
//! concrete providers.

use std::sync::Arc;

use anyhow::Context;
use providers::postgres::{self, MigrationError};
use providers::store::{BucketOptions, Credentials, FileStore, S3Store};
use secrecy::ExposeSecret;
use settings::BucketConfig;

use crate::cli_error::CliError;

pub(crate) use providers::store::Store;

/// Opens the store at `STORAGE_URL`.
pub(crate) async fn store(url: &str, bucket: &BucketConfig) -> anyhow::Result<Arc<dyn Store>> {
    let refused = |error: providers::store::StoreError| CliError::configuration(error.to_string());
    if url.starts_with("s3://") {
        let opened = S3Store::open(&options(url, bucket)).await;
        return Ok(Arc::new(opened.map_err(refused).context("STORAGE_URL")?));
    }
    let opened = FileStore::open(url, "stillcast");
    Ok(Arc::new(opened.map_err(refused).context("STORAGE_URL")?))
}

fn options(url: &str, bucket: &BucketConfig) -> BucketOptions {
    let credentials = bucket.key.as_ref().map(|key| Credentials {
        access_key_id: key.id.clone(),
        secret_access_key: key.secret.expose_secret().to_owned(),
        session_token: key.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
    });
    BucketOptions {
        url: url.to_owned(),
        endpoint: bucket.endpoint.clone(),
        region: bucket.region.clone(),
        credentials,
        public_base_url: None,
    }
}

/// Applies the migrations that are missing, and says what they were.
pub(crate) async fn migrate(url: &str) -> anyhow::Result<Vec<String>> {
    postgres::migrate(url).await.map_err(|error| match error {
        MigrationError::Address(_) => CliError::configuration(error.to_string()),
        MigrationError::Away(_) => CliError::missing(format!(
            "{error}; start it, install it with `apt-get install postgresql`, or correct the address"
        )),
        MigrationError::Refused(refused) => CliError::failed(refused.to_string()),
    })
}
