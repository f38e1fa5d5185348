//! An address goes in, the store behind it comes out: the one place that names a concrete provider.

use anyhow::Context;

use crate::failure::Failure;

pub(crate) use providers::store::FileStore as Store;

/// Opens the store at `STORAGE_URL`.
pub(crate) fn store(url: &str) -> anyhow::Result<Store> {
    let opened = Store::open(url, "stillcast");
    opened.map_err(|error| Failure::configuration(error.to_string())).context("STORAGE_URL")
}
