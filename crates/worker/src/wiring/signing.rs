//! A certificate and its key go in; an encoder that signs comes out.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use pipeline::MediaEncoder;
use providers::c2pa::{Signer, SigningEncoder, SigningOptions};

use crate::config::SigningConfig;

/// The files of `encoder`, signed where there is a certificate. Large ones wait in `scratch` meanwhile.
pub(super) fn signing(
    encoder: Arc<dyn MediaEncoder>,
    config: Option<&SigningConfig>,
    scratch: &Path,
) -> anyhow::Result<Arc<dyn MediaEncoder>> {
    let Some(config) = config else { return Ok(encoder) };
    Ok(Arc::new(SigningEncoder::new(encoder, signer(config, scratch)?)))
}

/// Signs something, and tells by whom.
pub(crate) fn probe_signer(
    config: Option<&SigningConfig>,
    scratch: &Path,
) -> anyhow::Result<Option<String>> {
    config.map(|config| Ok(signer(config, scratch)?.describe())).transpose()
}

fn signer(config: &SigningConfig, scratch: &Path) -> anyhow::Result<Signer> {
    let SigningConfig { certificates, key } = config.clone();
    let options = SigningOptions { certificates, key, temporary: scratch.to_owned() };
    Signer::open(&options).context("C2PA_CERTIFICATE_FILE and C2PA_KEY")
}
