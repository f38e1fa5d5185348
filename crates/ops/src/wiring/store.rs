//! An address goes in; the store of the workers' files there comes out.

use std::sync::Arc;

use anyhow::Context;
pub(crate) use providers::store::Trial;
use providers::store::{self, Credentials, Store, StoreOptions};
use secrecy::ExposeSecret;
use settings::BucketConfig;

use crate::cli_error::CliError;

/// Opens the store at `STORAGE_URL`.
pub(crate) async fn store(url: &str, bucket: &BucketConfig) -> anyhow::Result<Arc<dyn Store>> {
    let opened = store::open(&store_options(url, bucket)).await;
    opened.map_err(|error| CliError::configuration(error.to_string())).context("STORAGE_URL")
}

/// Has it keep something, give it back and let it go.
pub(crate) async fn try_store(url: &str, bucket: &BucketConfig) -> anyhow::Result<Trial> {
    Ok(store::trial(&*store(url, bucket).await?).await?)
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
